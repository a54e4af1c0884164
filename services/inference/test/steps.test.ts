/**
 * Batches under steps of load, of the code that the service runs: lanes, the board's bounds with their defaults, and calls
 * that lanes share. Time is turned by hand, and the engine is one thread, so every figure is exact.
 */
import { expect, test } from '@jest/globals';
import {
  CHAMPION,
  type ControlEntry,
  controlKey,
  controlRecord,
  type FeaturesValue,
} from '@millrace/contracts';
import { DEFAULT_BATCH_LIMITS, type Model, type Rows, type Scored, sharingScorer } from '@millrace/model';
import { fraud } from '@millrace/pipelines';
import type { InboundBatch, Outcomes } from '@millrace/stream';
import { noLogger, noMetrics, noTracing, turnedClock } from '@millrace/telemetry';
import { PredictionWriter } from '../src/answer.ts';
import { Board } from '../src/board.ts';
import { INFERENCE_DEFAULTS } from '../src/config.ts';
import { Lane } from '../src/lane.ts';
import type { PredictionOutputs } from '../src/laneOptions.ts';
import { VectorReader } from '../src/vectors.ts';
import { codecs, FEATURES, manifestOf, TOPICS, vectorOf } from './harness.ts';

/**
 * The cost that Apache Beam tests its own batches with, in units of which 25,000 are a second: the rate of the step is more
 * than calls of one row do (14,706 rows a second), and less than calls of 27 do (33,900).
 */
const costMs = (rows: number): number => 0.04 * (1 + 0.7 * rows);
/** From there on a call's fixed cost is at most 5 % of it. It would be five rows if the unit were a millisecond: a call's 5 ms. */
const ROWS_WANTED = 27;
/** A batch grows twofold from call to call: 2, 4, 8, 16, 27. */
const CALLS_UNTIL_WANTED = 5;
const CALLS_REMEMBERED = 100;
/** What arrives is fetched at the pace of the default; an answer may take until the next fetch, and no longer. */
const FETCH_MS = INFERENCE_DEFAULTS.fetchLingerMs;
const [QUIET, BUSY] = [100, 20_000];
const ROWS_A_FETCH = (BUSY * FETCH_MS) / 1_000;

const { features, predictions } = codecs();
const VECTOR = features.encode(vectorOf(64));

/** One thread: a call begins when the one before it has ended. */
class Engine {
  /** Rows of each call. */
  readonly calls: number[] = [];
  readonly #now: () => number;
  readonly #asked: { readonly rows: number; readonly answer: (scored: Scored) => void }[] = [];
  /** When the call under way ends. */
  untilMs = Infinity;

  constructor(now: () => number) {
    this.#now = now;
  }

  score({ rows }: Rows): Promise<Scored> {
    const { promise, resolve } = Promise.withResolvers<Scored>();
    this.#asked.push({ rows, answer: resolve });
    if (this.#asked.length === 1) this.#begin();
    return promise;
  }

  end(): void {
    const { rows, answer } = this.#asked.shift()!;
    this.calls.push(rows);
    answer({ data: new Float32Array(rows), computeMs: costMs(rows) });
    this.#begin();
  }

  #begin(): void {
    const [next] = this.#asked;
    this.untilMs = next === undefined ? Infinity : this.#now() + costMs(next.rows);
  }
}

/** Whatever can go on has gone on; handing over to the engine takes a turn of the event loop of its own. */
const quiet = async (): Promise<void> => {
  for (let turns = 0; turns < 3; turns++) await new Promise(resolve => setImmediate(resolve));
};

const batchOf = (partition: number, length: number): InboundBatch<FeaturesValue> => ({
  topic: TOPICS.features,
  partition,
  length,
  offset: i => i,
  appendTimeMs: () => 0,
  key: () => new Uint8Array(1),
  bytes: () => VECTOR,
  header: () => undefined,
  value: () => vectorOf(64),
});

const boardOf = async (model: Model, clock: ReturnType<typeof turnedClock>): Promise<Board> => {
  const world = { clock, metrics: noMetrics, logger: noLogger };
  const models = { load: async () => model };
  const board = new Board({ pipeline: fraud, aliases: [CHAMPION], models, limits: DEFAULT_BATCH_LIMITS, ...world }); // prettier-ignore
  const said = { revision: 1, pipeline: fraud.name, at: 0, by: 'test', why: 'test' };
  const value = { model: 'fraud', version: '1' };
  const record = controlRecord({ kind: 'model-alias', name: CHAMPION, value, ...said } as ControlEntry);
  board.change(controlKey(record), record);
  await board.settled();
  return board;
};

const rig = async (lanesCount: number) => {
  const clock = turnedClock();
  const engine = new Engine(() => clock.now());
  const scorer = sharingScorer({ provider: 'cpu', score: rows => engine.score(rows), close: async () => undefined }); // prettier-ignore
  const widths = { input: FEATURES.length, output: 1 };
  const manifest = manifestOf({ name: 'fraud', version: '1', divisor: 1 });
  const board = await boardOf({ manifest, scorer, widths, beside: undefined, close: async () => undefined }, clock); // prettier-ignore
  const given = {
    pipeline: fraud,
    board,
    reader: new VectorReader(fraud, new Map([[TOPICS.features, features]])),
    route: () => ({ route: 'default', routeVersion: 0, to: 'stream', review: false }) as const,
    writer: new PredictionWriter(fraud, features, predictions, new Map()),
    displaced: () => undefined,
    name: 'lane',
    // Of whole milliseconds, as that of the service.
    clock: { ...clock, now: () => Math.floor(clock.now()) },
    metrics: noMetrics,
    tracing: noTracing,
    logger: noLogger,
  };
  const lanes = Array.from({ length: lanesCount }, () => new Lane(given, new AbortController().signal));
  let open = 0;
  let waitMsMax = 0;

  const fetched = (lane: number, rows: number): void => {
    const atMs = clock.now();
    const answer = (): void => {
      open--;
      waitMsMax = Math.max(waitMsMax, clock.now() - atMs);
    };
    void lanes[lane]!.handle(batchOf(lane, rows), { answer } as unknown as Outcomes<PredictionOutputs>);
    open += rows;
  };
  const pass = async (untilMs: number): Promise<void> => {
    await quiet();
    for (; engine.untilMs <= untilMs; await quiet()) {
      await clock.turn(engine.untilMs - clock.now());
      engine.end();
    }
    await clock.turn(untilMs - clock.now());
  };

  /** So many rows a second, dealt to the lanes in turn. @returns the calls of each fetch, and what waited at worst */
  const load = async (rate: number, forMs: number) => {
    const calls: (readonly number[])[] = [];
    let [arrived, openMax] = [0, 0];
    waitMsMax = 0;
    for (let ms = FETCH_MS; ms <= forMs; ms += FETCH_MS) {
      const rows = lanes.map(() => 0);
      for (; arrived < Math.floor((rate * ms) / 1_000); arrived++) rows[arrived % lanesCount]!++;
      openMax = Math.max(openMax, open);
      for (const [lane, count] of rows.entries()) if (count > 0) fetched(lane, count);
      await pass(clock.now() + FETCH_MS);
      if (engine.calls.length > 0) calls.push(engine.calls.splice(0));
    }
    return { calls, arrived, waitMsMax, openMax, open };
  };
  const bounds = (): number => {
    const { lease } = board.choose()!;
    lease.release();
    return lease.model.bounds.rowsMax();
  };
  return { load, bounds };
};

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
/** How long the last of these calls is waited for, one after the other. */
const waitOf = (calls: readonly number[]): number => sum(calls.map(costMs));

test.each([
  { lanes: 1, first: [2, 4, 8, 16, 27, 23], later: [27, 27, 26], rowsMax: ROWS_WANTED },
  // Of two rows of each lane, then of all that is left. Calls of one size tell no cost: they may grow, but only twofold.
  { lanes: fraud.partitions, first: [12, 68], later: [ROWS_A_FETCH], rowsMax: 2 * ROWS_A_FETCH },
])(
  'from 100 to 20,000 rows a second and back, $lanes lanes: calls follow, no row waits until the next fetch, none pile up',
  async ({ lanes, first, later, rowsMax }) => {
    const { load, bounds } = await rig(lanes);
    const before = await load(QUIET, 2_000);
    expect(new Set(before.calls.flat())).toEqual(new Set([1]));
    expect(before.waitMsMax).toBeCloseTo(waitOf([1]), 9);
    expect(bounds()).toBe(2);

    const step = await load(BUSY, 1_000);
    expect(step.calls).toEqual([first, ...Array<unknown>(step.calls.length - 1).fill(later)]);
    expect(first.findIndex(rows => rows >= ROWS_WANTED)).toBeLessThan(CALLS_UNTIL_WANTED);
    expect([sum(step.calls.flat()), step.arrived, step.open, step.openMax]).toEqual([BUSY, BUSY, 0, 0]);
    // The worst waits are those of the first fetch, whose calls are still small.
    expect(step.waitMsMax).toBeCloseTo(waitOf(first), 9);
    expect(step.waitMsMax).toBeLessThan(FETCH_MS);
    expect(bounds()).toBe(rowsMax);

    const after = await load(QUIET, (CALLS_REMEMBERED / QUIET) * 1_000);
    expect(new Set(after.calls.flat())).toEqual(new Set([1]));
    expect([after.arrived, after.open]).toEqual([CALLS_REMEMBERED, 0]);
    expect(after.waitMsMax).toBeCloseTo(waitOf([1]), 9);
    expect(bounds()).toBe(2);
  },
);
