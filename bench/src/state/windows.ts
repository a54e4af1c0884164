/**
 * What one event costs by the length of its window, for a hot key: `node bench/src/state/windows.ts`.
 * One process, no Kafka. 90 of 100 events have the one hot key, one each 30 s of event time; the others are spread over
 * 1,000 keys. After the window has filled, the last events are timed, with the writing of changed chunks.
 */
import {
  type Aggregate, type Duration, type FeatureDefinition, count, definePipeline, distinct, field, last, maxOf, mean, minOf, share, stddev, sum, timeSinceLast,
} from '@millrace/define'; // prettier-ignore
import { compileSet, type CompiledStage, type EntityState, type FoldEvent } from '@millrace/features';

const EVERY_MS = 30_000;
/** So many that collections of a large heap weigh as they do in the long run. */
const TIMED = 200_000;
const FLUSH_EVERY = 200;
const DAY_MS = 86_400_000;
const LATE_MS_MAX = 3_600_000;
const price = { value: field('price'), scale: 2 };

const KINDS: Readonly<
  Record<Exclude<Aggregate['kind'], 'inForce'>, (of: string, window: Duration) => FeatureDefinition>
> = {
  count: (of, window) => count({ of, window }),
  sum: (of, window) => sum({ of, window, ...price }),
  mean: (of, window) => mean({ of, window, ...price }),
  min: (of, window) => minOf({ of, window, ...price }),
  max: (of, window) => maxOf({ of, window, ...price }),
  stddev: (of, window) => stddev({ of, window, ...price }),
  share: (of, window) => share({ of, window, where: field('flag') }),
  distinct: (of, window) => distinct({ of, window, value: field('shop') }),
  last: (of, window) => last({ of, window, ...price }),
  timeSinceLast: (of, window) => timeSinceLast({ of, window, where: field('rare') }),
};

const stageOf = (features: Readonly<Record<string, FeatureDefinition>>): CompiledStage =>
  compileSet(
    definePipeline({
      name: 'windows',
      entity: 'id',
      scores: 'orders',
      events: {
        orders: { schema: 'w/order', time: 'at', keys: ['id'] },
        returns: { schema: 'w/return', of: 'orders', time: 'at', knownAt: 'knownAt', keys: ['id'] },
      },
      features: { version: 1, inputs: {}, views: [{ name: 'all', version: 1, key: 'id', features }] },
      model: { name: 'm', outputs: ['y'], fallback: [] },
      decisions: [{ name: 'any' }],
    }),
  ).stages[0]!;

/** A fixed scatter, the same in every run. */
const scatter = (i: number, below: number): number => ((i * 48_271) % 2_147_483_647) % below;

const eventOf = (i: number, stream: string, time: number, knownAt: number | undefined): FoldEvent => ({
  stream,
  eventId: `e${i}`,
  revision: 0,
  withdrawn: false,
  time,
  knownAt,
  sequence: i,
  partition: 0,
  offset: i,
  fields: {
    id: i % 10 === 9 ? `k${scatter(i, 1_000)}` : 'hot',
    price: scatter(i, 100_003) / 100,
    flag: i % 3 === 0,
    rare: i % 5_000 === 0,
    shop: `s${scatter(i + 7, 5_000)}`,
  },
});

interface Way {
  readonly name: string;
  /** Deliveries for the i-th event of event time. */
  readonly deliveries: (i: number, time: number) => readonly FoldEvent[];
  readonly of: 'orders' | 'returns';
}

const WAYS: readonly Way[] = [
  { name: 'in order', of: 'orders', deliveries: (i, time) => [eventOf(i, 'orders', time, undefined)] },
  {
    name: '1 of 10 up to 1 h late',
    of: 'orders',
    deliveries: (i, time) => [
      eventOf(i, 'orders', i % 10 === 0 ? time - scatter(i, LATE_MS_MAX) : time, undefined),
    ],
  },
  {
    name: 'labels known 6 h after their event',
    of: 'returns',
    deliveries: (i, time) => [
      eventOf(i, 'returns', time - 6 * 3_600_000, time),
      eventOf(i, 'orders', time, undefined),
    ],
  },
];

/** Microseconds an event, once the window is full. */
function costOf(stage: CompiledStage, way: Way, filled: number): number {
  const states = new Map<string, EntityState>();
  const touched = new Set<EntityState>();
  const kept = new Map<string, Uint8Array>();
  let chunkBytesMax = 0;
  const fold = (i: number): void => {
    for (const event of way.deliveries(i, i * EVERY_MS * 0.9)) {
      const key = event.fields['id'] as string;
      let state = states.get(key);
      if (state === undefined) states.set(key, (state = stage.open(`${key}\0`)));
      stage.fold(state, event);
      touched.add(state);
    }
    if (i % FLUSH_EVERY !== 0) return;
    for (const state of touched)
      for (const [chunk, bytes] of state.dirtyChunks(of => kept.get(of))) {
        if (bytes === null) kept.delete(chunk);
        else kept.set(chunk, bytes);
        chunkBytesMax = Math.max(chunkBytesMax, bytes?.length ?? 0);
      }
    touched.clear();
  };
  for (let i = 0; i < filled; i++) fold(i);
  const start = process.cpuUsage();
  for (let i = filled; i < filled + TIMED; i++) fold(i);
  const { user, system } = process.cpuUsage(start);
  if (chunkBytesMax > 16_384) throw new Error(`a chunk has ${chunkBytesMax} bytes`);
  return (user + system) / TIMED;
}

const WINDOWS: readonly Duration[] = process.argv.includes('--quick') ? ['1d', '30d'] : ['1d', '30d', '365d'];
const only = process.argv.find(a => a in KINDS) as Aggregate['kind'] | undefined;
for (const way of WAYS) {
  console.log(`\n${way.name}: CPU µs an event by window\n`);
  console.log(`| Aggregation | ${WINDOWS.join(' | ')} |\n| --- | ${WINDOWS.map(() => '---:').join(' | ')} |`);
  for (const [kind, definition] of Object.entries(KINDS)) {
    if (only !== undefined && only !== kind) continue;
    costOf(stageOf({ x: definition(way.of, '1d') }), way, 0); // warm
    const cells = WINDOWS.map(window => {
      const filled = Math.ceil((Number.parseInt(window, 10) * 1.1 * DAY_MS) / (EVERY_MS * 0.9));
      return costOf(stageOf({ x: definition(way.of, window) }), way, filled).toFixed(1);
    });
    console.log(`| ${kind} | ${cells.join(' | ')} |`);
  }
}
