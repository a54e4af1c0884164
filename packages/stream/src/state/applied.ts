import { StateMismatch } from '../processor/trouble.ts';
import type { PartitionOffset } from '../broker/port.ts';
import type { StateStore } from './store.ts';

/**
 * Bookkeeping beside the state, in the same changelog and the same transaction: how far each input was applied. After
 * fencing it equals the group's committed offset; where it does not, somebody moved one of the two alone.
 */
const PREFIX = '__applied/';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const isBookkeeping = (key: string): boolean => key.startsWith(PREFIX);

/** Whether a key that begins so may be one of bookkeeping. */
export const mayBeBookkeeping = (prefix: string): boolean =>
  prefix.startsWith(PREFIX) || PREFIX.startsWith(prefix);

export const appliedChange = ({ topic, offset }: PartitionOffset): readonly [string, Uint8Array] => [
  PREFIX + topic,
  encoder.encode(String(offset)),
];

export const appliedOf = (store: StateStore, topic: string): number | undefined => {
  const bytes = store.get(PREFIX + topic);
  return bytes === undefined ? undefined : Number(decoder.decode(bytes));
};

/** @throws StateMismatch naming the first input whose state and offset do not belong together. */
export function checkApplied(
  store: StateStore,
  topics: readonly string[],
  partition: number,
  committed: ReadonlyMap<string, number>,
): void {
  for (const topic of topics) {
    const offset = committed.get(topic);
    const applied = appliedOf(store, topic);
    // Before the first record nothing is applied, whether that was committed or not.
    if ((offset ?? 0) !== (applied ?? 0))
      throw new StateMismatch(
        `${topic}-${partition}: the group has committed ${offset ?? 'nothing'}, the state has applied ` +
          `${applied ?? 'nothing'}. Offsets or changelog were moved alone; a deliberate rewind needs a new group and changelog.`,
      );
  }
}
