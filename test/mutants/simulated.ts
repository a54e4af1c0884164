import type { Invariant } from '../simulate/invariants.ts';
import type { Mutant } from './mutant.ts';
import { OF_REDRIVES } from './simulatedRedrives.ts';
import { OF_THE_EPOCHS } from './simulatedEpochs.ts';

/** A mutant that the simulation has to see. */
export interface Defect extends Mutant {
  /** What it is seen as. */
  readonly violates: Invariant;
}

/** Protections of the loop and of the epochs, taken out one by one: for `pnpm simulate --defect`. */
const ACQUIRE = 'packages/stream/src/processor/acquire.ts';
const TOGETHER = 'packages/stream/src/processor/together.ts';
const INFERENCE = 'services/inference/src/service.ts';
const CUT = 'packages/stream/src/processor/cut.ts';
const CUTTER = 'packages/features/src/epochs/cutter.ts';
const INFERENCE_LANE = 'services/inference/src/lane.ts';
const LANE = 'packages/stream/src/processor/lane.ts';
const OUTCOMES = 'packages/stream/src/processor/outcomes.ts';
const ROUTING = 'services/inference/src/routing.ts';
const SITTING = 'packages/stream/src/processor/sitting.ts';

const OF_THE_LOOP: readonly Defect[] = [
  {
    name: 'commits-the-position',
    violates: 'answered once',
    shows: 'offsets of records that are still open are committed: they are lost when the task dies',
    file: 'packages/stream/src/processor/offsets.ts',
    text: 'return first === undefined ? this.#position : first.offset(first.taken);',
    instead: 'return this.#position;',
  },
  {
    name: 'alarms-unproved',
    violates: 'no process ends of itself',
    shows: 'one whose heir is at work takes the state of the heir for a mismatch, and its process ends',
    file: ACQUIRE,
    text: '    await of.member.heartbeat();',
    instead: '',
  },
  {
    name: 'keeps-the-generation',
    violates: 'everything comes to rest',
    shows: 'tasks of the generation before work on: the next one never begins',
    file: 'packages/stream/src/processor/processor.ts',
    text: '    for (const runner of before.values()) runner.revoke();',
    instead: '',
  },
  {
    name: 'offsets-before-outputs',
    violates: 'answered once',
    shows:
      'at least once: offsets are committed before the outputs are acknowledged: lost when it dies between',
    file: 'packages/stream/src/processor/shipping.ts',
    text: 'await courier.send!(cut.records);',
    instead: 'void courier.send!(cut.records).catch(() => undefined);',
  },
  {
    name: 'offsets-apart',
    violates: 'no process ends of itself',
    shows:
      'offsets are committed beside the transaction: doubled when it dies between, or its answer is lost',
    file: TOGETHER,
    text: 'await allOf([send(), sendOffsets()]);',
    instead: 'await send();\n    await this.#member.commit(offsets);',
  },
  {
    name: 'reads-on-after-a-failure',
    violates: 'everything comes to rest',
    shows: 'a task that begins anew does not read again what was open: lost',
    file: SITTING,
    text: 'if (lane.startAt(offset)) member.seek({ ...lane.at, offset });',
    instead: 'lane.startAt(offset);',
  },
  {
    name: 'letters-apart',
    violates: 'answered once',
    shows: 'a dead letter goes with the next commit, and not with the record that it is of: doubled',
    file: OUTCOMES,
    text: '        keep(index, desk.letter(run, index, reason, cause));',
    instead: '        desk.put(desk.letter(run, index, reason, cause));\n        desk.touch(1, 0);',
  },
  {
    name: 'ticks-for-ever',
    violates: 'nothing is left behind',
    shows: 'the timer of a task outlives it',
    file: SITTING,
    text: '(setting.clock.now() % setting.tickMs), this.signal);',
    instead: '(setting.clock.now() % setting.tickMs));',
  },
  {
    name: 'applies-before-the-commit',
    violates: 'answered once',
    shows: 'state moves on although its transaction fails',
    file: 'packages/stream/src/state/overlay.ts',
    text: '    return this.#cut.records();',
    instead: '    void this.#store.apply(this.#cut.entries());\n    return this.#cut.records();',
  },
  {
    name: 'applies-unmarked',
    violates: 'committed is applied',
    shows: 'the changelog does not tell how far it has come: offsets and state may be moved apart',
    file: CUT,
    text: 'changelog === undefined ? [] : offsets.map(appliedChange);',
    instead: '[] as ReturnType<typeof appliedChange>[];',
  },
  {
    name: 'sends-in-reverse',
    violates: 'order of predictions',
    shows: 'what a commit carries leaves in reverse: answers overtake each other',
    file: CUT,
    text: '    records.push(record);\n    room.records',
    instead: '    records.unshift(record);\n    room.records',
  },
  {
    name: 'blames-all-rows',
    violates: 'scored right',
    shows: 'rows that the engine refuses take those beside them along into the dead letters',
    file: 'packages/model/src/batch/isolate.ts',
    text: '} else if (rows === 1) failed.set(from, answer);',
    instead: '} else if (rows > 0) for (let i = 0; i < rows; i++) failed.set(from + i, answer);',
  },
];

const OF_THE_RULES: readonly Defect[] = [
  {
    name: 'rules-in-reverse',
    violates: 'by the rules',
    shows: 'the last rule that holds decides, and not the first',
    file: ROUTING,
    text: 'for (const { chosen, holds } of this.#rules) if',
    instead: 'for (const { chosen, holds } of this.#rules.toReversed()) if',
  },
  {
    name: 'tells-the-rules-before',
    violates: 'by the rules',
    shows: 'answers tell the version of the rules that were in force before',
    file: ROUTING,
    text: '    const { routes, routeVersion, thresholds } = inForce;',
    instead:
      '    const { routes, thresholds } = inForce;\n    const routeVersion = this.#inForce?.routeVersion ?? 0;',
  },
  {
    name: 'begins-without-rules',
    violates: 'by the rules',
    shows:
      'a process that starts knows only of rules that come after it: vectors are answered by older ones again',
    file: INFERENCE,
    text: 'for (const [key, record] of control.entries()) line.change(key, record);',
    instead:
      "for (const [key, record] of control.entries()) if (record.kind !== 'routes') line.change(key, record);",
  },
  {
    name: 'puts-off-and-scores',
    violates: 'answered once',
    shows: 'what a rule puts off until the night is answered at once, too: doubled',
    file: INFERENCE_LANE,
    text: "    if (routed.to === 'stream' || reader.runOf(input, batch, i) !== undefined) return routed;",
    instead: `    if (routed.to === 'night') out.emitFor(i, 'deferred', batch.key(i)!, { ...routed, engine: null, controlRevision: inForce.controlRevision, topic: batch.topic, partition: batch.partition, offset: batch.offset(i), vector: Buffer.from(batch.bytes(i)!) });
    return routed;`,
  },
];

const OF_THE_BOUNDS: readonly Defect[] = [
  {
    name: 'never-pauses',
    violates: 'memory stays within its marks',
    shows: 'reading goes on when a lane is full: memory grows with the lag',
    file: 'packages/stream/src/processor/gate.ts',
    text: '    this.#valve.pause([this.#at]);',
    instead: '',
  },
  {
    name: 'rows-without-mark',
    violates: 'memory stays within its marks',
    shows: 'a lane pauses for its bytes, however many rows they are of',
    file: LANE,
    text: '(this.#rows >= this.#marks.rowsHigh || this.#bytes >= this.#marks.bytesHigh)',
    instead: 'this.#bytes >= this.#marks.bytesHigh',
  },
  {
    name: 'bytes-without-mark',
    violates: 'memory stays within its marks',
    shows: 'a lane pauses for its rows, however large they are',
    file: LANE,
    text: '(this.#rows >= this.#marks.rowsHigh || this.#bytes >= this.#marks.bytesHigh)',
    instead: 'this.#rows >= this.#marks.rowsHigh',
  },
  {
    name: 'sources-never-rest',
    violates: 'memory stays within its marks',
    shows: 'sources run ahead of the last stage without an end: rows of ever more epochs are held',
    file: CUTTER,
    text: 'input.paused = !mustRead && input.ahead.size > this.#options.epochsAheadMax;',
    instead: 'input.paused = false;',
  },
  {
    name: 'publishes-again',
    violates: 'a quiet pipeline writes nothing',
    shows: 'a quiet pipeline goes on saying how far it has come',
    file: 'services/feature/src/epochTask.ts',
    text: '    if (!tellsHead && released <= this.#book.released) return;',
    instead: '',
  },
];

export const SIMULATED: readonly Defect[] = [
  ...OF_THE_LOOP,
  ...OF_THE_EPOCHS,
  ...OF_REDRIVES,
  ...OF_THE_RULES,
  ...OF_THE_BOUNDS,
];
