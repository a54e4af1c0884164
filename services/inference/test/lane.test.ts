import { describe, expect, test } from '@jest/globals';
import type { FeaturesValue } from '@millrace/contracts';
import { batchBounds, type Rows, type Scored } from '@millrace/model';
import { fraud } from '@millrace/pipelines';
import type { InboundBatch, Outcomes } from '@millrace/stream';
import { noLogger, noMetrics, noTracing, type TurnedClock, turnedClock } from '@millrace/telemetry';
import { PredictionWriter } from '../src/answer.ts';
import { Lane } from '../src/lane.ts';
import type { ChooseRoute, PredictionOutputs } from '../src/laneOptions.ts';
import { VectorReader } from '../src/vectors.ts';
import { codecs, FEATURES, vectorOf } from './harness.ts';

const { features, predictions } = codecs();

const INPUT = FEATURES.length;
const ROWS_MAX = 8;
const WAIT_MS_MAX = 20;

/** Answers when it is told to. */
interface Asked {
  readonly rows: number;
  answer(): void;
  refuse(error: Error): void;
}

interface Rig {
  readonly lane: Lane;
  readonly clock: TurnedClock;
  readonly asked: Asked[];
  readonly closed: string[];
  readonly abort: AbortController;
  leases: number;
  readonly run: (from: number, count: number) => Promise<void>;
}

const batchOf = (from: number, count: number): InboundBatch<FeaturesValue> => ({
  topic: 'fraud.features.v1',
  partition: 0,
  length: count,
  offset: i => from + i,
  appendTimeMs: () => 0,
  key: () => new Uint8Array(1),
  bytes: i => features.encode(vectorOf(from + i)),
  header: () => undefined,
  value: i => vectorOf(from + i),
});

const AT_ONCE: ChooseRoute = () => ({ route: 'default', routeVersion: 0, to: 'stream', review: false });

const rig = (route = AT_ONCE): Rig => {
  const clock = turnedClock();
  const abort = new AbortController();
  const asked: Asked[] = [];
  const closed: string[] = [];
  const bounds = batchBounds({ rowsMax: ROWS_MAX, waitMsMax: WAIT_MS_MAX });
  bounds.observe(ROWS_MAX, 1);
  const score = ({ rows }: Rows): Promise<Scored> =>
    new Promise((resolve, reject) => {
      asked.push({
        rows,
        answer: () => resolve({ data: new Float32Array(rows), computeMs: 1 }),
        refuse: reject,
      });
    });
  const manifest = { name: 'fraud', version: '1', sha256: '', features: FEATURES } as never;
  const model = {
    manifest,
    widths: { input: INPUT, output: 1 },
    scorer: { provider: 'stub', score, close: async () => undefined },
    beside: undefined,
    close: async () => undefined,
  };
  const inForce = { controlRevision: 1, thresholds: fraud.thresholds, routes: [], routeVersion: 0, arm: '' };
  const world = {
    pipeline: { ...fraud, model: { ...fraud.model, fallback: [] } },
    reader: new VectorReader(fraud, new Map([['fraud.features.v1', features]])),
    writer: new PredictionWriter(fraud, features, predictions, new Map()),
  };
  const made: Rig = {
    clock,
    abort,
    asked,
    closed,
    leases: 0,
    lane: new Lane(
      {
        ...world,
        name: 'lane',
        route,
        displaced: () => undefined,
        clock,
        metrics: noMetrics,
        tracing: noTracing,
        logger: noLogger,
        board: {
          first: Promise.resolve(),
          notReady: () => undefined,
          smaller: () => undefined,
          restore: () => undefined,
          choose: () => {
            made.leases++;
            let back = false;
            const release = (): void => {
              if (!back) made.leases--;
              back = true;
            };
            return {
              inForce,
              lease: { model: { model, bounds, columns: [0], close: async () => undefined }, release },
            };
          },
        },
      },
      abort.signal,
    ),
    run: (from, count) => {
      const out: Outcomes<PredictionOutputs> = {
        emit: to => void closed.push(`${to}, of no record`),
        put: to => void closed.push(`${to}, of no record`),
        emitFor: (i, to) => void closed.push(`${to === 'predictions' ? 'emit' : to} ${from + i}`),
        answer: (i, to) =>
          void closed.push(`${to === 'predictions' ? 'emit' : to} ${from + i}`, `done ${from + i}`),
        done: i => void closed.push(`done ${from + i}`),
        skip: i => void closed.push(`skip ${from + i}`),
        reject: i => void closed.push(`reject ${from + i}`),
      };
      return made.lane.handle(batchOf(from, count), out);
    },
  };
  return made;
};

/** Whether a promise has settled by now. */
const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let is = false;
  const note = (): void => {
    is = true;
  };
  promise.then(note, note);
  await new Promise(resolve => setImmediate(resolve));
  return is;
};

describe('a lane', () => {
  test('asks at once when a batch is full, and again for what is left when its time has come', async () => {
    const { asked, clock, run, closed } = rig();
    const all = run(0, ROWS_MAX + 3);
    await clock.turn(0);
    expect(asked.map(a => a.rows)).toEqual([ROWS_MAX]);
    asked[0]!.answer();
    await clock.turn(WAIT_MS_MAX - 1);
    expect(asked).toHaveLength(1);
    await clock.turn(1);
    expect(asked.map(a => a.rows)).toEqual([ROWS_MAX, 3]);
    expect(await settled(all)).toBe(false);
    asked[1]!.answer();
    await all;
    expect(closed.filter(c => c.startsWith('done'))).toEqual(
      Array.from({ length: ROWS_MAX + 3 }, (_, i) => `done ${i}`),
    );
  });

  test('waits for others no longer than it may, and gathers across runs', async () => {
    const { asked, clock, run } = rig();
    const first = run(0, 2);
    await clock.turn(WAIT_MS_MAX - 5);
    const second = run(2, 3);
    await clock.turn(4);
    expect(asked).toHaveLength(0);
    await clock.turn(1);
    expect(asked.map(a => a.rows)).toEqual([5]);
    asked[0]!.answer();
    await Promise.all([first, second]);
  });

  test('does not wait any longer once a later run fills the batch', async () => {
    const { asked, clock, run } = rig();
    void run(0, 2);
    await clock.turn(1);
    void run(2, ROWS_MAX - 2);
    await clock.turn(0);
    expect(asked.map(a => a.rows)).toEqual([ROWS_MAX]);
    asked[0]!.answer();
    await clock.turn(0);
  });

  test('what arrives while the model works makes the next batch; a run settles when its own rows are closed', async () => {
    const { asked, clock, run } = rig();
    const first = run(0, ROWS_MAX);
    await clock.turn(0);
    const second = run(ROWS_MAX, 4);
    const third = run(ROWS_MAX + 4, 4);
    asked[0]!.answer();
    await clock.turn(0);
    expect([await settled(first), await settled(second)]).toEqual([true, false]);
    expect(asked.map(a => a.rows)).toEqual([ROWS_MAX, ROWS_MAX]);
    asked[1]!.answer();
    await Promise.all([second, third]);
  });

  test('closes nothing after its end, leaves nothing waiting and gives its lease back', async () => {
    const made = rig();
    const { asked, clock, run, closed, abort } = made;
    const working = run(0, ROWS_MAX);
    const waiting = run(ROWS_MAX, 2);
    await clock.turn(0);
    abort.abort();
    expect([await settled(waiting), made.leases]).toEqual([true, 1]);
    asked[0]!.answer();
    await working;
    await clock.turn(0);
    expect([closed, made.leases]).toEqual([[], 0]);
    await run(100, 5);
    expect(asked).toHaveLength(1);
  });

  test('ends gathering with its end', async () => {
    const { asked, clock, run, abort } = rig();
    const waiting = run(0, 2);
    await clock.turn(1);
    abort.abort();
    await waiting;
    await clock.turn(WAIT_MS_MAX);
    expect(asked).toHaveLength(0);
  });

  test('a bad world without any fallback fails every run that is open', async () => {
    const made = rig();
    const { asked, clock, run, closed } = made;
    const runs = [run(0, ROWS_MAX), run(ROWS_MAX, 2)];
    await clock.turn(0);
    asked[0]!.refuse(new Error('the world is bad'));
    for (const one of runs) await expect(one).rejects.toThrow('the world is bad');
    expect([closed, made.leases]).toEqual([[], 0]);
  });

  test('what a rule puts off goes with its own offset, at once, and is not scored; what stands beside it is', async () => {
    const { asked, clock, run, closed } = rig((_, __, ___, { i }) => ({
      route: 'by turns',
      routeVersion: 1,
      to: i % 2 === 0 ? 'stream' : 'night',
      review: false,
    }));
    const all = run(0, 4);
    await clock.turn(WAIT_MS_MAX);
    expect(closed).toEqual(['deferred 1', 'done 1', 'deferred 3', 'done 3']);
    expect(asked.map(({ rows }) => rows)).toEqual([2]);
    asked[0]!.answer();
    await all;
    expect(closed.slice(4)).toEqual(['emit 0', 'done 0', 'emit 2', 'done 2']);
  });

  test('an empty run is nothing to wait for', async () => {
    await rig().run(0, 0);
  });
});
