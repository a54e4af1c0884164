/**
 * Features of sampled entities as their events give them in order time, folded by the code that serves. One stage after the
 * other, and of each only keys that the sample has met, part by part: so no more than `EVENTS_MAX` events are in memory,
 * whatever the topics hold; for each part the topics are read again.
 */
import { crc32 } from 'node:zlib';
import type { Stretch } from '@millrace/contracts';
import { durationMs, ofSet, type Pipeline } from '@millrace/define';
import { rereadEvents } from '@millrace/feature';
import { compareOrder, type CompiledSet, type CompiledStage, compileSet, type FoldEvent, orderTime, stageFolder } from '@millrace/features'; // prettier-ignore
import { EVERY_HASH, type HashRange } from '../reconcile/table.ts';
import type { World } from '../world/prepare.ts';
import { Arrivals, type Cause } from './causes.ts';
import { isSampled } from './sample.ts';
import { type Asked, SampleTooLarge, vectorKey, VECTORS_MAX } from './served.ts';

/** Events in memory at once, some 1,000 bytes each. */
export const EVENTS_MAX = 400_000;

export interface Recomputed {
  readonly event: FoldEvent;
  /** In the set's order; missing is NaN. */
  readonly features: Float32Array;
  /** By stage: what its key got that the event could not know when it came. */
  readonly unknown: readonly (Cause | undefined)[];
}

/** A vector on its way. */
interface Row {
  readonly event: FoldEvent;
  readonly appendTimeMs: number;
  readonly partials: (readonly number[] | undefined)[];
  readonly unknown: (Cause | undefined)[];
}

interface Arrived {
  readonly event: FoldEvent;
  readonly appendTimeMs: number;
}

export interface RecomputeOptions {
  readonly asked: Asked;
  readonly stretches: readonly Stretch[];
  readonly eventsMax?: number;
  readonly progressed: (line: string) => void;
}

export interface RecomputedVectors {
  /** By `vectorKey`. */
  readonly vectors: ReadonlyMap<string, Recomputed>;
  /** Keys of events that have none: in event time a higher revision comes before them. */
  readonly superseded: ReadonlySet<string>;
  /** Records of the scored stream that the service rejects, or nobody can decode. */
  readonly unusable: number;
}

/** How far back in event time the windows of a stage reach, milliseconds. */
export const reachOf = ({ features, events }: Pipeline, { key }: CompiledStage): number => {
  const spans = features.views
    .filter(view => view.key === key)
    .flatMap(view => Object.values(view.features))
    .flatMap(d => ('aggregate' in d && events[d.aggregate.of]?.table !== true ? [d.aggregate] : []))
    .map(({ window, delay }) => durationMs(window) + durationMs(delay));
  return Math.max(0, ...spans);
};

/** Those of the sample, the first of each in the order of the fold. @throws SampleTooLarge */
const readRows = async (world: World, own: Pipeline, set: CompiledSet, { asked, stretches }: RecomputeOptions) => {
  const { fromMs, untilMs, sample } = asked;
  const rows = new Map<string, Row>();
  let unusable = 0;
  for await (const read of rereadEvents(world, own, stretches, [own.scores])) {
    if (read.reason !== undefined) {
      unusable++;
      continue;
    }
    const { event, appendTimeMs } = read;
    if (event.withdrawn || event.time < fromMs || event.time >= untilMs) continue;
    if (!isSampled(String(event.fields[own.entity]), sample)) continue;
    const key = vectorKey(event);
    const before = rows.get(key);
    if (before !== undefined && compareOrder(before.event, event) <= 0) continue;
    rows.set(key, { event, appendTimeMs, partials: set.stages.map(() => undefined), unknown: set.stages.map(() => undefined) });
    if (rows.size > VECTORS_MAX) throw new SampleTooLarge(`the sample has more than ${VECTORS_MAX} events`);
  }
  return { rows, unusable };
}; // prettier-ignore

const HASHES = EVERY_HASH.width;

/** Events of wanted keys that hash into a range; where they are too many the range is halved, and `rest` is for another pass. */
class Part {
  readonly events = new Map<string, Arrived[]>();
  #high: number;
  readonly #low: number;
  readonly #max: number;
  #size = 0;

  constructor({ low, width }: HashRange, max: number) {
    this.#low = low;
    this.#high = Math.min(low + width, HASHES);
    this.#max = max;
  }

  get rest(): HashRange | undefined {
    return this.#high === HASHES ? undefined : { low: this.#high, width: this.#high - this.#low };
  }

  add(key: string, arrived: Arrived): void {
    if (!this.#holds(key)) return;
    const of = this.events.get(key);
    if (of === undefined) this.events.set(key, [arrived]);
    else of.push(arrived);
    this.#size++;
    while (this.#size > this.#max) this.#narrow();
  }

  #holds(key: string): boolean {
    const hash = crc32(key);
    return hash >= this.#low && hash < this.#high;
  }

  #narrow(): void {
    const width = this.#high - this.#low;
    if (width === 1) throw new SampleTooLarge(`one key alone has more than ${this.#max} events`);
    this.#high = this.#low + Math.ceil(width / 2);
    for (const [key, of] of this.events)
      if (!this.#holds(key)) {
        this.#size -= of.length;
        this.events.delete(key);
      }
  }
}

const kindOf = ({ events }: Pipeline, { stream, revision, withdrawn }: FoldEvent): Cause => {
  if (events[stream]!.table === true) return 'late-row';
  if (withdrawn || revision > 0) return 'corrected';
  return events[stream]!.of === undefined ? 'late-event' : 'late-label';
};

/** Folds all that one key has, and puts what it gave to the rows of the sample. */
const foldKey = (own: Pipeline, stage: CompiledStage, s: number, arrived: Arrived[], rows: ReadonlyMap<string, Row>): void => {
  const fold = stageFolder(stage);
  const arrivals = new Arrivals(own.delivery.epochMs);
  arrived.sort((a, b) => compareOrder(a.event, b.event));
  for (const { event, appendTimeMs } of arrived) {
    const { values } = fold(event);
    const row = event.stream === own.scores && values !== undefined ? rows.get(vectorKey(event)) : undefined;
    if (row !== undefined && row.partials[s] === undefined) {
      row.partials[s] = values;
      row.unknown[s] = arrivals.after(row.appendTimeMs);
    }
    arrivals.add(kindOf(own, event), appendTimeMs);
  }
}; // prettier-ignore

const foldStage = async (world: World, own: Pipeline, stage: CompiledStage, s: number, rows: ReadonlyMap<string, Row>, options: RecomputeOptions): Promise<void> => {
  const { asked, stretches, eventsMax = EVENTS_MAX, progressed } = options;
  const wanted = new Set([...rows.values()].map(({ event }) => String(event.fields[stage.key])));
  const oldestMs = asked.fromMs - reachOf(own, stage);
  const isNeeded = (event: FoldEvent): boolean =>
    orderTime(event) < asked.untilMs && (event.time >= oldestMs || own.events[event.stream]!.table === true) && wanted.has(String(event.fields[stage.key]));
  for (let range: HashRange | undefined = EVERY_HASH, passes = 1; range !== undefined; passes++) {
    progressed(`${stage.key}: ${wanted.size} keys, reading for the ${passes}. time`);
    const part: Part = new Part(range, eventsMax);
    for await (const read of rereadEvents(world, own, stretches, stage.streams))
      if (read.reason === undefined && isNeeded(read.event)) part.add(String(read.event.fields[stage.key]), read);
    for (const arrived of part.events.values()) foldKey(own, stage, s, arrived, rows);
    range = part.rest;
  }
}; // prettier-ignore

/** @throws SampleTooLarge where less has to be asked for */
export const recompute = async (world: World, options: RecomputeOptions): Promise<RecomputedVectors> => {
  const own = ofSet(options.asked.pipeline, options.asked.set);
  const set = compileSet(own);
  const { rows, unusable } = await readRows(world, own, set, options);
  if (rows.size > 0)
    for (const [s, stage] of set.stages.entries()) await foldStage(world, own, stage, s, rows, options);
  const vectors = new Map<string, Recomputed>();
  const superseded = new Set<string>();
  for (const [key, { event, partials, unknown }] of rows) {
    const whole = partials.filter(partial => partial !== undefined);
    if (whole.length < partials.length) superseded.add(key);
    else vectors.set(key, { event, features: set.finish(event.fields, whole), unknown });
  }
  return { vectors, superseded, unusable };
};
