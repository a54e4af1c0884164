import type { Mutant } from './mutant.ts';

/** Protections of the loop and of the epochs, taken out one by one: for `pnpm simulate --defect`. */
const ACQUIRE = 'packages/stream/src/processor/acquire.ts';
const COURIER = 'packages/stream/src/processor/delivery.ts';
const CUTTER = 'packages/features/src/epochs/cutter.ts';
const GATHERER = 'packages/features/src/epochs/gatherer.ts';
const OUTCOMES = 'packages/stream/src/processor/outcomes.ts';
const SITTING = 'packages/stream/src/processor/sitting.ts';
const VIEWS = 'services/feature/src/views.ts';

const OF_THE_LOOP: readonly Mutant[] = [
  {
    name: 'fences-no-heir',
    shows: 'each owner of a task has a transactional id of its own: a zombie commits beside its heir',
    file: ACQUIRE,
    text: '`tx.${setting.group}.${task}`',
    instead: '`tx.${setting.group}.${task}.${setting.random()}`',
  },
  {
    name: 'alarms-unproved',
    shows: 'one whose heir is at work takes the state of the heir for a mismatch, and its process ends',
    file: ACQUIRE,
    text: '    await of.member.heartbeat();',
    instead: '',
  },
  {
    name: 'keeps-the-generation',
    shows: 'tasks of the generation before work on: the next one never begins',
    file: 'packages/stream/src/processor/processor.ts',
    text: '    for (const runner of before.values()) runner.revoke();',
    instead: '',
  },
  {
    name: 'offsets-before-outputs',
    shows:
      'at least once: offsets are committed before the outputs are acknowledged: lost when it dies between',
    file: 'packages/stream/src/processor/shipping.ts',
    text: 'await courier.send!(cut.records);',
    instead: 'void courier.send!(cut.records).catch(() => undefined);',
  },
  {
    name: 'offsets-apart',
    shows:
      'offsets are committed beside the transaction: doubled when it dies between, or its answer is lost',
    file: COURIER,
    text: 'await allOf([send(), offsets.length > 0 ? producer.sendOffsets(group, offsets) : Promise.resolve()]);',
    instead: 'await send();\n      if (offsets.length > 0) await member.commit(offsets);',
  },
  {
    name: 'reads-on-after-a-failure',
    shows: 'a task that begins anew does not read again what was open: lost',
    file: SITTING,
    text: 'if (lane.startAt(offset)) member.seek({ ...lane.at, offset });',
    instead: 'lane.startAt(offset);',
  },
  {
    name: 'letters-apart',
    shows: 'a dead letter goes with the next commit, and not with the record that it is of: doubled',
    file: OUTCOMES,
    text: '        keep(index, desk.letter(run, index, reason, cause));',
    instead: '        desk.put(desk.letter(run, index, reason, cause));\n        desk.touch(1, 0);',
  },
  {
    name: 'ticks-for-ever',
    shows: 'the timer of a task outlives it',
    file: SITTING,
    text: 'await setting.clock.sleep(setting.tickMs, this.signal);',
    instead: 'await setting.clock.sleep(setting.tickMs);',
  },
  {
    name: 'applies-before-the-commit',
    shows: 'state moves on although its transaction fails',
    file: 'packages/stream/src/processor/shipping.ts',
    text: '    const startMs = clock.now();\n    let sentMs',
    instead:
      '    await this.#state?.settle([], () => this.#mark());\n    const startMs = clock.now();\n    let sentMs',
  },
  {
    name: 'blames-all-rows',
    shows: 'rows that the engine refuses take those beside them along into the dead letters',
    file: 'packages/model/src/batch/isolate.ts',
    text: '} else if (rows === 1) failed.set(from, answer);',
    instead: '} else if (rows > 0) for (let i = 0; i < rows; i++) failed.set(from + i, answer);',
  },
];

const OF_THE_EPOCHS: readonly Mutant[] = [
  {
    name: 'idle-sources-do-not-mark',
    shows: 'an idle partition holds all others back',
    file: CUTTER,
    text: 'let past = Math.max(headMax, this.#head);',
    instead: 'let past = this.#head;',
  },
  {
    name: 'waits-for-one-lane',
    shows: 'an epoch is applied when the first lane has marked it: what comes from the others is lost',
    file: GATHERER,
    text: '    const applied = Math.min(...this.#marked);',
    instead: '    const applied = Math.max(...this.#marked);',
  },
  {
    name: 'one-sort-over-several',
    shows: 'epochs that are complete together are folded as one: values differ from the fold in order',
    file: GATHERER,
    text: 'return { applied, epochs, markers: closed.map(marker => marker.held) };',
    instead: `const rows = epochs.flatMap(epoch => epoch.rows);
    return { applied, epochs: rows.length === 0 ? [] : [{ epoch: applied, rows }], markers: closed.map(marker => marker.held) };`,
  },
  {
    name: 'closes-markers-at-once',
    shows: 'offsets move past markers that are not applied: after a restart nobody knows of them',
    file: GATHERER,
    text: '    this.#markers.push({ epoch, held });\n    return true;',
    instead: '    return false;',
  },
  {
    name: 'releases-in-fold-order',
    shows: 'vectors of an entity overtake each other',
    file: 'packages/features/src/epochs/release.ts',
    text: "rows.toSorted(phase === 'live' ? SOURCE_ORDER : FOLD_ORDER)",
    instead: 'rows.toSorted(FOLD_ORDER)',
  },
  {
    name: 'folds-duplicates',
    shows: 'the same event twice has two vectors',
    file: VIEWS,
    text: "    if (admission === 'duplicate') return { skip: 'duplicate' };",
    instead: '',
  },
  {
    name: 'keeps-state-to-itself',
    shows: 'changes of state do not reach the changelog: the next owner knows nothing of them',
    file: VIEWS,
    text: '        else this.#state.put(key, bytes);',
    instead: '',
  },
  {
    name: 'forgets-the-newest',
    shows: 'an older vector stands behind a newer one on the compacted topic',
    file: 'services/feature/src/vector.ts',
    text: '      for (const [entity, seen] of newest) putNewest(state, entity, seen);',
    instead: '',
  },
];

export const SIMULATED: readonly Mutant[] = [...OF_THE_LOOP, ...OF_THE_EPOCHS];
