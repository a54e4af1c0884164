/**
 * Measured figures that the calculator reckons with. `KINDS` is the list and its documentation; the values that ship,
 * each with its source, are in `coefficients.json`, and a file of the user's takes the place of those that it names.
 * `coefficients.schema.json` says to editors what is checked here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../io.ts';

/** How a figure was come by, so that somebody else can measure it again. */
export interface Source {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly note?: string;
}

export interface Coefficient {
  /** Null: nobody has measured it, and what rests on it is not known. */
  readonly value: number | null;
  readonly source: Source;
}

interface Kind {
  readonly unit: string;
  /** What a machine with faster cores does to it; `none`: nothing. */
  readonly scaling: 'time' | 'rate' | 'none';
  readonly says: string;
}

const time = (unit: string, says: string): Kind => ({ unit, scaling: 'time', says });
const rate = (unit: string, says: string): Kind => ({ unit, scaling: 'rate', says });
const fixed = (unit: string, says: string): Kind => ({ unit, scaling: 'none', says });

const KINDS = {
  'inference.awakeCores': time('cores', 'a process that answers some thousands a second, beyond what records cost'),
  'inference.usPerRecord': time('µs', 'CPU of a record beside the model, exactly once'),
  'inference.atLeastOnceShare': fixed('', "at-least-once's share of that"),
  'inference.exactlyOnceRateMax': rate('records/s', 'most that one process has done, the model not being its limit'),
  'inference.atLeastOnceRateMax': rate('records/s', 'the same, at least once'),
  'inference.memoryMb': fixed('MB', 'anonymous memory of a process without what its lanes hold'),
  'inference.exactlyOnceWaitMs': fixed('ms', 'p99 from vector to answer beyond the commit interval, at inference.waitRate'),
  'inference.atLeastOnceWaitMs': fixed('ms', 'the same, at least once'),
  'inference.waitRate': fixed('records/s', 'rate of one process at which these waits were measured'),
  'model.fraud.usPerRow': time('µs', 'CPU of the engine for a row of the model fraud'),
  'feature.awakeCores': time('cores', 'a process, for each entity key, at some hundred records a second, beyond what records cost'),
  'feature.usPerRecordAndKey': time('µs', 'CPU of an event or label in the stage of one entity key, without aggregations'),
  'feature.usPerAggregation': time('µs', 'CPU of an event or label for one aggregation'),
  'feature.oneKeyWaitMs': fixed('ms', 'p99 from event to vector, pipelines with one entity key'),
  'feature.epochsWaitMs': fixed('ms', 'p99 from event to vector beyond the epoch, several keys'),
  'feature.waitRate': fixed('records/s', 'rate of one process at which these waits were measured'),
  'feature.memoryMb': fixed('MB', 'memory of a process without state'),
  'feature.cacheBytesPerRow': fixed('bytes', 'a row of a window, as the cache of entities counts it'),
  'feature.heapPerCacheByte': fixed('', 'memory that a byte of the cache takes'),
  'state.bytesPerRow': fixed('bytes', 'a row of a window in the changelog'),
  'state.diskPerByte': fixed('', 'disk of the local store for a byte of the changelog'),
  'state.restoreMbPerSecond': rate('MB/s', 'changelog to the local store of a process'),
  'sink.usPerRecord': time('µs', 'CPU of a prediction in the sink'),
  'sink.databaseUsPerRecord': time('µs', 'CPU of a prediction in PostgreSQL'),
  'sink.rateMax': rate('records/s', 'most that one process of the sink stores'),
  'sink.memoryMb': fixed('MB', 'memory of a process'),
  'broker.exactlyOnceUsPerHop': time('µs', 'CPU of the brokers for a record that is written in a transaction and read once'),
  'broker.atLeastOnceUsPerHop': time('µs', 'the same without transactions'),
  'takeover.pauseMs': fixed('ms', 'from the end of a session until its partitions are answered again, without restoring'),
  'rebalance.pauseMs': fixed('ms', 'pause of those whose partitions stay where they are'),
  'bytes.event': fixed('bytes', 'key and value of an event'),
  'bytes.label': fixed('bytes', 'a label'),
  'bytes.repartition': fixed('bytes', 'an event or label between two stages, with the markers of its epoch'),
  'bytes.release': fixed('bytes', 'the same on the way back to the entity of the pipeline'),
  'bytes.changelog': fixed('bytes', 'written to the changelog for an event or label and entity key'),
  'bytes.vector': fixed('bytes', 'a vector without its features, which take 4 bytes each'),
  'bytes.prediction': fixed('bytes', 'a prediction without the features of its vector'),
} as const satisfies Readonly<Record<string, Kind>>; // prettier-ignore

export type CoefficientName = keyof typeof KINDS;
export type Coefficients = Readonly<Record<CoefficientName, Coefficient>>;

export const COEFFICIENTS: Readonly<Record<CoefficientName, Kind>> = KINDS;
export const COEFFICIENT_NAMES = Object.keys(KINDS) as readonly CoefficientName[];

const isName = (name: string): name is CoefficientName => Object.hasOwn(KINDS, name);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;

const sourceMistakes = (name: string, source: unknown): readonly string[] => {
  if (!isObject(source)) return [`${name}.source is ${kindOf(source)}: say command, date and machine`];
  return [
    ...['command', 'date', 'machine']
      .filter(field => typeof source[field] !== 'string' || source[field] === '')
      .map(field => `${name}.source.${field} is ${kindOf(source[field])}: say it in words`),
    ...Object.keys(source)
      .filter(field => !['command', 'date', 'machine', 'note'].includes(field))
      .map(field => `${name}.source.${field} is none of command, date, machine and note`),
  ];
};

const mistakesOf = (name: string, entry: unknown): readonly string[] => {
  if (!isName(name)) return [`${name} is no coefficient: there are ${COEFFICIENT_NAMES.join(', ')}`];
  if (!isObject(entry))
    return [`${name} is ${kindOf(entry)}: write {"value": …, "unit": "${KINDS[name].unit}", "source": {…}}`];
  const { value, unit, source } = entry;
  const isFigure = value === null || (typeof value === 'number' && Number.isFinite(value) && value >= 0);
  return [
    ...(isFigure
      ? []
      : [`${name}.value is ${typeof value === 'number' ? value : kindOf(value)}: write a number not below zero, or null where it is not measured`]),
    ...(unit === KINDS[name].unit ? [] : [`${name}.unit is ${JSON.stringify(unit)}: it is in "${KINDS[name].unit}"`]),
    ...sourceMistakes(name, source),
  ];
}; // prettier-ignore

/**
 * The coefficients of a file, some or all.
 * @param where how messages call the file
 * @throws UsageError with every mistake at once
 */
export const parseCoefficients = (text: string, where: string): Partial<Coefficients> => {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${where} cannot be read as JSON: ${(error as Error).message}`);
  }
  const entries = isObject(file) ? file['coefficients'] : undefined;
  if (!isObject(entries)) throw new UsageError(`${where} has no "coefficients": an object by name is needed`);
  const mistakes = Object.entries(entries).flatMap(([name, entry]) => mistakesOf(name, entry));
  if (mistakes.length > 0) throw new UsageError(`${where} cannot be used:\n- ${mistakes.join('\n- ')}`);
  return entries as unknown as Partial<Coefficients>;
};

const scaled = (name: CoefficientName, { value, source }: Coefficient, scale: number): Coefficient => {
  const { scaling } = KINDS[name];
  const factor = scaling === 'none' ? 1 : scaling === 'rate' ? scale : 1 / scale;
  return { value: value === null ? null : value * factor, source };
};

const SHIPPED = join(import.meta.dirname, 'coefficients.json');

/**
 * What ships, on a machine whose cores are `scale` times as fast, and in its place what was measured there.
 * @param own as they are: they are of the machine in question
 */
export const coefficientsFor = (own: Partial<Coefficients> = {}, scale = 1): Coefficients => {
  const shipped = parseCoefficients(readFileSync(SHIPPED, 'utf8'), 'coefficients.json') as Coefficients;
  return Object.fromEntries(
    COEFFICIENT_NAMES.map(name => [name, own[name] ?? scaled(name, shipped[name], scale)]),
  ) as Coefficients;
};

/** Reads values; NaN stands for what is not measured, and whatever is reckoned with it is NaN too. */
export type Measured = (name: CoefficientName) => number;

export const measuredBy =
  (coefficients: Coefficients): Measured =>
  name =>
    coefficients[name].value ?? Number.NaN;
