/** Ends of members, whose work others have to take over. */
import type { Member } from './rig/fleet.ts';
import { ownedBy } from './rig/owners.ts';
import type { Scene } from './scene.ts';

/** Counts from the signal, which the action sends at once, and only what was the member's. */
export const endMember = async (
  scene: Scene,
  member: Member,
  by: 'kill -9' | 'SIGTERM',
  action: () => unknown,
): Promise<void> => {
  const partitions = await ownedBy(scene.rig, member);
  await scene.fault(`${member.name}: ${by}${ofPartitions(partitions)}`, action, {
    counts: 'from-beginning',
    watched: [{ name: `${member.service}, ${by}`, partitions }],
  });
};

const ofPartitions = (partitions: readonly number[]): string =>
  partitions.length === 0 ? '' : `, which has the partitions ${partitions.join(', ')}`;
