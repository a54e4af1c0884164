/** What operators and retention do to state and topics. */
import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { consumerGroup, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import type { PartitionOffset } from '@millrace/stream';
import { placeName } from '../rig/ledger.ts';
import { withAdmin } from '../rig/admin.ts';
import type { Member } from '../rig/fleet.ts';
import { linesOf } from '../rig/script.ts';
import { deleteBelow, resetToEarliest } from '../rig/topics.ts';
import type { Scene } from '../scene.ts';
import { addedPartitions } from './partitions.ts';
import { ONE, type Scenario } from './scenario.ts';

const FEATURES = topicsOf(fraud).features;
const INFERENCE = consumerGroup('inference', fraud);
const WATCHED_S = 15;
/** Long enough for a process to end some times over what it finds, and to be there at last. */
const BACK_S_MAX = 60;
/** Exit codes of processes that a signal has ended. */
const BY_SIGNAL = 128;
const GARBAGE = Buffer.from('not what was written here '.repeat(600));

/** Of the tasks of a member that keeps its state on disk. */
const dataFiles = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('data.mdb'))
    .map(name => join(folder, name));

const changed = (file: string, change: (descriptor: number, size: number) => void): void => {
  const descriptor = openSync(file, 'r+');
  try {
    change(descriptor, statSync(file).size);
  } finally {
    closeSync(descriptor);
  }
};

interface Restored {
  readonly msg?: string;
  readonly records?: number;
  readonly emptied?: string;
}

/** What was said of tasks that came back since so many lines of the log. */
const restoredSince = (scene: Scene, member: Member, line: number): readonly Restored[] =>
  scene.rig.fleet
    .log(member)
    .slice(line)
    .filter(text => text.startsWith('{')) // LMDB says itself, in words of its own, that a page is damaged.
    .map(text => JSON.parse(text) as Restored)
    .filter(({ msg }) => msg === 'state restored');

const stateLost = async (scene: Scene): Promise<void> => {
  const { fleet, directory } = scene.rig;
  const member = fleet.of('feature').find(({ name }) => name === 'feature-1')!;
  const folder = join(directory, 'state');
  const older = join(directory, 'state-of-before');
  const while_ = async (what: string, act: () => void): Promise<void> => {
    await scene.until(() => fleet.awake('feature').includes(member), 60);
    const line = fleet.log(member).length;
    await scene.fault(`${member.name}: ${what}`, async () => {
      await fleet.terminate(member, true);
      act();
      await fleet.wake(member);
    });
    await scene.wait(WATCHED_S);
    await scene.until(() => restoredSince(scene, member, line).length > 0, BACK_S_MAX);
    const restored = restoredSince(scene, member, line);
    const records = restored.reduce((sum, one) => sum + (one.records ?? 0), 0);
    const why = [...new Set(restored.flatMap(({ emptied }) => emptied ?? []))];
    scene.say(`    ${restored.length} tasks came back, ${records} records read; ${why.join(', ') || 'no folder was refused'}`);
    if (restored.length === 0) scene.complaints.push(`${what}: no task came back to ${member.name}`);
  }; // prettier-ignore
  await while_('its folder stays as it is', () => undefined);
  await while_('its folder is gone', () => renameSync(folder, older));
  await while_('its files end in their midst', () => {
    for (const file of dataFiles(folder))
      changed(file, (at, size) => ftruncateSync(at, Math.floor(size / 2)));
  });
  await while_('its files are overwritten in their midst', () => {
    for (const file of dataFiles(folder)) changed(file, (at, size) => writeSync(at, GARBAGE, 0, GARBAGE.length, Math.floor(size / 3)));
  }); // prettier-ignore
  await while_('its folder is the one of before', () => {
    rmSync(folder, { recursive: true });
    renameSync(older, folder);
  });
  const ends = fleet.ownEnds.map(({ name, code }) => `${name} (${code})`);
  scene.say(`    ended over a damaged page: ${ends.join(', ') || 'nobody'}`);
  if (fleet.ownEnds.some(({ name, code }) => name !== member.name || code < BY_SIGNAL))
    scene.complaints.push(`ended for other reasons: ${ends.join(', ')}`);
  // Nobody has anything left: all of it comes from the changelog.
  await scene.fault('every feature process: kill -9, and the folder is deleted', () => {
    for (const one of fleet.of('feature')) fleet.kill(one);
    rmSync(folder, { recursive: true, force: true });
  });
  await scene.wait(15);
};

interface VectorLine {
  readonly partition: number;
  readonly offset: number;
  readonly sourceTopic: string;
  readonly sourcePartition: number;
  readonly sourceOffset: number;
}

/** Removes the older half of what inference has not read. @returns where each partition begins now */
const loseVectors = async (scene: Scene): Promise<readonly PartitionOffset[]> => {
  const { rig } = scene;
  const { python, stack } = rig;
  const { committed, ends } = await withAdmin(rig, async admin => ({
    committed: await admin.committed(INFERENCE, [FEATURES]),
    ends: await admin.endOffsets(FEATURES),
  }));
  const nextOf = (partition: number): number => committed.find(at => at.partition === partition)?.offset ?? 0;
  const cuts = ends.flatMap(({ topic, partition, offset }) => {
    const cut = Math.ceil((nextOf(partition) + offset) / 2);
    return cut > nextOf(partition) ? [{ topic, partition, offset: cut }] : [];
  });
  const where = { bootstrap: stack.kafka, registry: stack.registry, topic: FEATURES, as: 'vectors' };
  for (const line of await linesOf<VectorLine>(python, 'read.py', where)) {
    const cut = cuts.find(({ partition }) => partition === line.partition)?.offset ?? 0;
    if (line.offset >= nextOf(line.partition) && line.offset < cut)
      scene.gone.add(placeName(line.sourceTopic, line.sourcePartition, line.sourceOffset));
  }
  await deleteBelow(rig, FEATURES, cuts);
  return cuts;
};

const retention = async (scene: Scene): Promise<void> => {
  const { fleet } = scene.rig;
  const members = fleet.of('inference');
  const leave = (): Promise<unknown> =>
    Promise.all(members.map(member => fleet.terminate(member, true)));
  // It is away until somebody moves its offsets.
  const away = { counts: 'not' } as const;
  await scene.fault('every inference process: SIGTERM, and stays away', leave, away);
  await scene.wait(10);
  let cuts: readonly PartitionOffset[] = [];
  const lose = async (): Promise<void> => {
    cuts = await loseVectors(scene);
  };
  await scene.fault('half of what it has not read is removed', lose, away);
  scene.say(`    ${scene.gone.size} vectors are gone, of ${cuts.length} partitions`);
  const committed = (): Promise<readonly PartitionOffset[]> =>
    withAdmin(scene.rig, admin => admin.committed(INFERENCE, [FEATURES]));
  const before = JSON.stringify(await committed());
  const begin = async (): Promise<void> => {
    await Promise.all(members.map(member => fleet.wake(member)));
    await scene.wait(15);
  };
  await scene.fault('it is started over the gap', begin, away);
  await leave();
  const ends = fleet.ownEnds.filter(({ name }) => name.startsWith('inference'));
  scene.say(`    ${ends.length} ends of its own, codes ${[...new Set(ends.map(({ code }) => code))].join(', ')}`);
  const alarmed = members.every(member =>
    fleet.log(member).some(line => line.includes('is out of range: records are lost')),
  );
  if (!alarmed || ends.length === 0 || ends.some(({ code }) => code !== 1))
    scene.complaints.push('the gap raised no alarm');
  if (JSON.stringify(await committed()) !== before) scene.complaints.push('offsets were moved over the gap');
  await scene.fault('its offsets are moved past the gap by hand, and it is started', async () => {
    const lost = cuts.map(({ partition }) => partition);
    await resetToEarliest(scene.rig, INFERENCE, FEATURES, lost);
    await Promise.all(members.map(member => fleet.wake(member)));
  });
  await scene.wait(10);
}; // prettier-ignore

export const CHANGE_SCENARIOS: readonly Scenario[] = [
  {
    number: 14,
    name: 'partitions-added',
    injects: 'partitions are added to the payments while they flow; then the migration',
    brokers: ONE,
    mayEnd: true,
    rig: { environment: { MILLRACE_STALL_MS_MAX: '18000' } },
    run: addedPartitions,
  },
  {
    number: 28,
    name: 'state-lost',
    injects: 'the folder of state is deleted, torn, overwritten, and replaced by an older one',
    brokers: ONE,
    // LMDB ends its process over some damage; the folder is given up when that has happened three times.
    mayEnd: true,
    run: stateLost,
  },
  {
    number: 34,
    name: 'retention',
    injects: 'records that inference has not read are removed; it is told to go on by hand',
    brokers: ONE,
    mayEnd: true,
    run: retention,
  },
];
