import type { Defect } from './simulated.ts';

const CUTTER = 'packages/features/src/epochs/cutter.ts';
const GATHERER = 'packages/features/src/epochs/gatherer.ts';
const VIEWS = 'services/feature/src/views.ts';

/** Protections of the epochs. */
export const OF_THE_EPOCHS: readonly Defect[] = [
  {
    name: 'idle-sources-do-not-mark',
    violates: 'everything comes to rest',
    shows: 'an idle partition holds all others back',
    file: CUTTER,
    text: 'let past = Math.max(headMax, this.#head);',
    instead: 'let past = this.#head;',
  },
  {
    name: 'waits-for-one-lane',
    violates: 'answered once',
    shows: 'an epoch is applied when the first lane has marked it: what comes from the others is lost',
    file: GATHERER,
    text: '    const applied = Math.min(...this.#marked);',
    instead: '    const applied = Math.max(...this.#marked);',
  },
  {
    name: 'epochs-fall-with-the-clock',
    violates: 'epochs never fall',
    shows: "an event behind another has an earlier epoch, because the brokers' clock has stepped back",
    file: CUTTER,
    text: 'Math.max(from.newest, byTime)',
    instead: 'byTime',
  },
  {
    name: 'joins-closed-epochs',
    violates: 'everything comes to rest',
    shows: 'an event that comes too late for its epoch goes into it all the same',
    file: CUTTER,
    text: 'const epoch = Math.max(monotone, this.#closed + 1);',
    instead: 'const epoch = monotone;',
  },
  {
    name: 'one-sort-over-several',
    violates: 'vectors equal a fold',
    shows: 'epochs that are complete together are folded as one: values differ from the fold in order',
    file: GATHERER,
    text: 'return { applied, epochs, markers: closed.map(marker => marker.held) };',
    instead: `const rows = epochs.flatMap(epoch => epoch.rows);
    return { applied, epochs: rows.length === 0 ? [] : [{ epoch: applied, rows }], markers: closed.map(marker => marker.held) };`,
  },
  {
    name: 'closes-markers-at-once',
    violates: 'everything comes to rest',
    shows: 'offsets move past markers that are not applied: after a restart nobody knows of them',
    file: GATHERER,
    text: '    this.#markers.push({ epoch, held });\n    return true;',
    instead: '    return false;',
  },
  {
    name: 'releases-in-fold-order',
    violates: 'order of vectors',
    shows: 'vectors of an entity overtake each other',
    file: 'packages/features/src/epochs/release.ts',
    text: "rows.toSorted(phase === 'live' ? SOURCE_ORDER : FOLD_ORDER)",
    instead: 'rows.toSorted(FOLD_ORDER)',
  },
  {
    name: 'folds-duplicates',
    violates: 'answered once',
    shows: 'the same event twice has two vectors',
    file: VIEWS,
    text: "    if (admission === 'duplicate') return { skip: 'duplicate' };",
    instead: '',
  },
  {
    name: 'keeps-state-to-itself',
    violates: 'state equals a fold',
    shows: 'changes of state do not reach the changelog: the next owner knows nothing of them',
    file: VIEWS,
    text: '    else this.#state.put(key, bytes);',
    instead: '',
  },
  {
    name: 'forgets-the-newest',
    violates: 'state equals a fold',
    shows: 'an older vector stands behind a newer one on the compacted topic',
    file: 'services/feature/src/vector.ts',
    text: '    for (const [entity, newest] of releasing.takeNewest()) putNewest(state, entity, newest);',
    instead: '    releasing.takeNewest();',
  },
];
