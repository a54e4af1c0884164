/** Reads the answers of both sides, one partition after the other: an entity's vectors and answers are all on one. */
import { Bad, type Codec, openCodec } from '@millrace/avro';
import {
  catalogue,
  deadLetterTopic,
  letterOf,
  type PredictionValue,
  topicsOf,
  LIVE,
} from '@millrace/contracts';
import type { PartitionOffset } from '@millrace/stream';
import type { World } from '../world/prepare.ts';
import { type Answer, answerReader } from './answer.ts';
import { type Comparison, type Side, type SideName, SIDES, stretchOf } from './sides.ts';
import { EVERY_HASH, GONE, type HashRange, type Unit, UnitTable } from './table.ts';

/** What is read of the predictions topic, and of the dead letters of each side: one for each partition. */
export interface Stretches {
  readonly predictions: readonly Reading[];
  readonly letters: Readonly<Record<SideName, readonly Reading[]>>;
  /** What rules put off: of the stream, where it is one of the sides. */
  readonly deferred: readonly Reading[];
}

export interface Reading extends PartitionOffset {
  readonly until: number;
}

export interface Gathering {
  readonly world: World;
  readonly comparison: Comparison;
  readonly stretches: Stretches;
  readonly unitsMax: number;
  readonly signal: AbortSignal;
}

/** What one pass over a partition has found. */
export interface Gathered {
  readonly partition: number;
  readonly units: ReadonlyMap<string, Unit>;
  /** Predictions that cannot be decoded; counted by the first pass over a partition only. */
  readonly unusable: number;
}

const readingsOf = async (
  { broker }: World,
  topic: string,
  from: readonly (readonly number[])[],
): Promise<readonly Reading[]> => {
  const [starts, ends] = await Promise.all([
    broker.admin.beginningOffsets(topic),
    broker.admin.endOffsets(topic),
  ]);
  return ends.map(({ partition, offset: until }) => {
    const start = starts.find(at => at.partition === partition)?.offset ?? 0;
    const earliest = Math.min(...from.map(offsets => offsets[partition] ?? 0));
    return { topic, partition, offset: Math.min(until, Math.max(start, earliest)), until };
  });
};

const runsOf = ({ world, signal }: Gathering, { until, ...at }: Reading) =>
  world.broker.read({ from: [at], until: [{ ...at, offset: until }], signal });

/** The newest vector of each entity in the slice of a side, below its end. */
const readSlice = async (of: Gathering, sides: readonly SideName[], partition: number, table: UnitTable) => {
  const stretch = stretchOf(of.comparison[sides[0]!], partition);
  if (stretch === undefined || stretch.from >= stretch.until) return;
  for await (const run of runsOf(of, { ...stretch, offset: stretch.from }))
    for (let i = 0; i < run.length; i++) {
      const unit = table.of(Buffer.from(run.key(i) ?? []).toString());
      if (unit === undefined) continue;
      for (const side of sides) unit.expected[side] = run.value(i) === null ? GONE : run.offset(i);
    }
}; // prettier-ignore

/** What an answer is compared by. */
const keyOf = ({ unit }: Comparison, { entity, eventId, revision }: PredictionValue): string =>
  unit === 'entity' ? entity : JSON.stringify([entity, eventId, revision]);

/** The entity that a key is about. */
export const entityOf = ({ unit }: Comparison, key: string): string =>
  unit === 'entity' ? key : (JSON.parse(key) as [string])[0];

/** Whether an event is of the slice that a run read again. */
const isInSlice = ({ slice }: Side, { sourceTopic, sourcePartition, sourceOffset }: PredictionValue): boolean =>
  slice.some(({ topic, partition, from, until }) =>
    topic === sourceTopic && partition === sourcePartition && from <= sourceOffset && sourceOffset < until,
  ); // prettier-ignore

/** The unit that an answer of the stream is about; undefined where it has nothing to do with what the run was over. */
const unitOfLive = (
  comparison: Comparison,
  side: Side,
  value: PredictionValue,
  table: UnitTable,
): Unit | undefined => {
  const key = keyOf(comparison, value);
  if (comparison.unit === 'event') return isInSlice(side, value) ? table.of(key) : undefined;
  // The slice was read before: who is not in it is not of the portfolio.
  const unit = table.units.get(key);
  const expected = unit?.expected.run;
  if (unit === undefined || expected === undefined) return undefined;
  // No offset is below that of an entity that is gone.
  if (value.featureSet === side.featureSet) return value.vectorOffset <= expected ? unit : undefined;
  unit.otherSet = true;
  return undefined;
};

/**
 * Whether an answer stands instead of another one of its unit: that of the newest vector, and of one event the last
 * progressive result. A vector that was scored aside of its topic has an offset of another topic; it is an older one.
 */
const stands = (one: Answer, before: Answer): boolean =>
  (one.vectorOffset - before.vectorOffset ||
    one.eventTime - before.eventTime ||
    one.sequence - before.sequence ||
    one.revision - before.revision ||
    one.seq - before.seq) > 0;

const isSame = (a: Answer, b: Answer): boolean =>
  a.eventId === b.eventId && a.revision === b.revision && a.seq === b.seq;

interface Tools {
  readonly codec: Codec<PredictionValue>;
  readonly answerOf: ReturnType<typeof answerReader>;
}

const take = (
  { comparison }: Gathering,
  { answerOf }: Tools,
  { value, offset }: { readonly value: PredictionValue; readonly offset: number },
  table: UnitTable,
): void => {
  const name = SIDES.find(side => comparison[side].id === value.runId);
  if (name === undefined || value.role !== 'answer') return;
  const side = comparison[name];
  const unit =
    side.id === LIVE ? unitOfLive(comparison, side, value, table) : table.of(keyOf(comparison, value));
  if (unit === undefined) return;
  const answer = answerOf(value, offset);
  const before = unit.answers[name];
  const isNight = comparison.unit === 'entity' && side.id !== LIVE;
  if (before !== undefined && (isNight || isSame(before, answer)))
    (unit.repeats ??= { run: 0, against: 0 })[name]++;
  if (before === undefined || stands(answer, before)) unit.answers[name] = answer;
};

const NO_KEY = new Uint8Array();

const pass = async (of: Gathering, tools: Tools, reading: Reading, range: HashRange) => {
  const { comparison, unitsMax } = of;
  const { partition } = reading;
  const { codec } = tools;
  const table = new UnitTable(range, unitsMax, key => entityOf(comparison, key));
  let unusable = 0;
  const isShared = SIDES.some(name => comparison[name].id === LIVE);
  for (const names of isShared ? [SIDES] : SIDES.map(name => [name]))
    if (comparison[names[0]!].isWhole) await readSlice(of, names, partition, table);
  for await (const run of runsOf(of, reading)) {
    // The first pass looks at every record, so that each that is unusable is counted; the others at their own only.
    const at = Array.from({ length: run.length }, (_, i) => i).filter(
      i => range === EVERY_HASH || table.holds(run.key(i) ?? NO_KEY),
    );
    await codec.prepare(at.map(i => run.value(i)));
    for (const i of at) {
      const bytes = run.value(i);
      const value = bytes === null ? null : codec.decode(bytes);
      if (value instanceof Bad) unusable++;
      else if (value !== null) take(of, tools, { value, offset: run.offset(i) }, table);
    }
  }
  return { table, unusable: range === EVERY_HASH ? unusable : 0 };
};

/**
 * All units, a partition at a time, and of one with more than `unitsMax` a part at a time; for each part the records of the
 * partition are read again. @throws Error where the signal was aborted
 */
export async function* gather(of: Gathering): AsyncGenerator<Gathered> {
  const { world, comparison, stretches, signal } = of;
  const { predictions } = topicsOf(comparison.pipeline);
  const value = catalogue([comparison.pipeline]).find(({ name }) => name === predictions)!.value!;
  const tools = {
    codec: await openCodec<PredictionValue>(world.registry, value),
    answerOf: answerReader(comparison.pipeline),
  };
  for (const reading of stretches.predictions) {
    let range: HashRange | undefined = EVERY_HASH;
    while (range !== undefined) {
      const { table, unusable }: Awaited<ReturnType<typeof pass>> = await pass(of, tools, reading, range);
      signal.throwIfAborted();
      yield { partition: reading.partition, units: table.units, unusable };
      range = table.rest;
    }
  }
}

/** Why the vectors of these entities were rejected in the group of a side: by entity. */
export const lettersOf = async (
  of: Gathering,
  name: SideName,
  partition: number,
  entities: { has(entity: string): boolean },
): Promise<ReadonlyMap<string, string>> => {
  const reasons = new Map<string, string>();
  const reading = of.stretches.letters[name].find(one => one.partition === partition);
  if (reading === undefined) return reasons;
  for await (const run of runsOf(of, reading))
    for (let i = 0; i < run.length; i++) {
      const key = Buffer.from(run.key(i) ?? []).toString();
      if (!entities.has(key)) continue;
      const letter = letterOf(header => run.header(i, header));
      if (letter?.group === of.comparison[name].group) reasons.set(key, letter.reason);
    }
  return reasons;
};

/** Those of the entities that a rule has put off at some time. */
export const putOffOf = async (
  of: Gathering,
  partition: number,
  entities: { has(entity: string): boolean },
): Promise<ReadonlySet<string>> => {
  const found = new Set<string>();
  const reading = of.stretches.deferred.find(one => one.partition === partition);
  if (reading === undefined) return found;
  for await (const run of runsOf(of, reading))
    for (let i = 0; i < run.length; i++) {
      const key = Buffer.from(run.key(i) ?? []).toString();
      if (entities.has(key)) found.add(key);
    }
  return found;
};

/** What there is to read now: it is fixed once, and stands in the report. */
export const stretchesOf = async (world: World, comparison: Comparison): Promise<Stretches> => {
  const letters = async (name: SideName): Promise<readonly Reading[]> => {
    const [stretch] = comparison[name].slice;
    if (stretch === undefined || comparison.unit === 'event') return [];
    return readingsOf(world, deadLetterTopic(stretch.topic), [comparison[name].answersFrom.letters]);
  };
  const froms = SIDES.map(name => comparison[name].answersFrom.predictions);
  const { predictions, deferred } = topicsOf(comparison.pipeline);
  const isOfStream = comparison.unit === 'entity' && SIDES.some(name => comparison[name].id === LIVE);
  return {
    deferred: isOfStream ? await readingsOf(world, deferred, [[]]) : [],
    predictions: await readingsOf(world, predictions, froms),
    letters: { run: await letters('run'), against: await letters('against') },
  };
};
