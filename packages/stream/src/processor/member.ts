import type { Membership } from '../broker/port.ts';
import type { Group } from './setting.ts';

/** The membership, also for those who hear of an assignment before `join` has resolved: their calls wait for it. */
export function memberOf(joining: Promise<Membership>): Group {
  let joined: Membership | undefined;
  joining.then(
    membership => {
      joined = membership;
    },
    () => undefined, // Never joined: nothing to steer.
  );
  const steer = (act: (membership: Membership) => void): void => {
    if (joined !== undefined) act(joined);
    else joining.then(act, () => undefined);
  };
  return {
    pause: partitions => steer(membership => membership.pause(partitions)),
    resume: partitions => steer(membership => membership.resume(partitions)),
    seek: to => steer(membership => membership.seek(to)),
    commit: async offsets => (await joining).commit(offsets),
    member: async () => (await joining).member(),
    heartbeat: async () => (await joining).heartbeat(),
  };
}
