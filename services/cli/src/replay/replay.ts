/**
 * Writing a slice again, each record once. The order is what makes it so: fence every earlier process of the run, which
 * ends what that one had open; then read how far it came; then send copies, and the offsets behind them, together in
 * transactions. Offsets are there before the record that begins the run, so that a run without them is known to be
 * forgotten, and not taken for new. Killed at any point and asked for again, it goes on where its last transaction ended.
 */
import {
  isReplayHeader,
  REPLAY_GROUP,
  replayGroup,
  replayHeaders,
  transactionalIdPrefix,
} from '@millrace/contracts';
import { murmur2Partition, type OutRecord, type PartitionOffset, type RecordRun, type TransactionalProducer } from '@millrace/stream'; // prettier-ignore
import { Parcel } from '../world/parcel.ts';
import type { World } from '../world/prepare.ts';
import { Pace } from './pace.ts';
import { howFar, type Plan, planReplay, type ReplayOptions } from './plan.ts';
import { forgotten, settledPositionsOf } from './run.ts';
import { refuseLive } from './target.ts';

export interface ExecuteOptions extends ReplayOptions {
  /** Records a second; without it as fast as they are taken. */
  readonly rate: number | undefined;
  /** Offsets of the slice that are behind, and all of them, after each transaction. */
  readonly progressed: (progress: { readonly done: number; readonly total: number }) => void;
}

export interface Replay {
  readonly plan: Plan;
  /** Records written by this process. */
  readonly written: number;
}

/** Where there are as many partitions a record keeps its own, whoever placed it there; else it goes where its key belongs. */
const placed = (key: Uint8Array | null, partition: number, from: number, to: number): number =>
  from === to ? partition : key === null ? partition % to : murmur2Partition(key, to);

const copyOf = (of: RecordRun, i: number, { id, from, target: { topic } }: Plan): OutRecord => {
  const key = of.key(i);
  // Ours come first: a cap on headers cuts the last.
  const source = { topic: of.topic, partition: of.partition, offset: of.offset(i) };
  const own = of.headers(i).filter(([name]) => !isReplayHeader(name));
  return {
    topic: topic.name,
    partition: placed(key, of.partition, from.partitions, topic.partitions),
    key,
    value: of.value(i),
    headers: [...replayHeaders({ run: id, source }), ...own],
  };
};

interface Begun {
  readonly plan: Plan;
  readonly positions: readonly PartitionOffset[];
}

/** What there is to do, now that nobody else does it. The record that comes first fixes what the run is over. */
const begin = async (world: World, options: ReplayOptions, producer: TransactionalProducer): Promise<Begun> => {
  const { admin } = world.broker;
  let plan = await planReplay(world, options);
  if (plan.known.begun === undefined) {
    await producer.sendOffsets(replayGroup(plan.id), plan.positions!);
    await producer.commit();
    await plan.log.write(plan.run);
    plan = await planReplay(world, options);
  }
  if (plan.known.done !== undefined) return { plan, positions: [] };
  const positions = await settledPositionsOf(admin, plan.run);
  if (positions === undefined) throw forgotten(plan.id, options.asked.to);
  return { plan, positions };
}; // prettier-ignore

const write = async (world: World, { plan, positions }: Begun, options: ExecuteOptions, producer: TransactionalProducer, signal: AbortSignal): Promise<number> => {
  const { broker, clock } = world;
  const { run, target, from: { name: topic } } = plan;
  const next = new Map(positions.map(at => [at.partition, at.offset]));
  const now = (): readonly PartitionOffset[] => [...next].map(([partition, offset]) => ({ topic, partition, offset }));
  const parcel = new Parcel({
    producer,
    before: () => refuseLive(broker.admin, target),
    offsets: { group: replayGroup(plan.id), now },
    told: () => options.progressed(howFar(run, now())),
  });
  const pace = new Pace(options.rate, clock);
  const left = run.slice.filter(({ partition, until }) => next.get(partition)! < until);
  const from = left.map(({ partition }) => ({ topic, partition, offset: next.get(partition)! }));
  const until = left.map(({ partition, until: offset }) => ({ topic, partition, offset }));
  options.progressed(howFar(run, now()));
  for await (const records of broker.read({ from, until, signal }))
    for (let i = 0; i < records.length; i++) {
      await pace.turn(() => parcel.send(), signal);
      next.set(records.partition, records.offset(i) + 1);
      await parcel.add(copyOf(records, i, plan));
    }
  signal.throwIfAborted();
  await parcel.send();
  return parcel.sent;
}; // prettier-ignore

/**
 * Does a run, goes on with it, or finds it done.
 * @throws ReplayRefused where it cannot be. @throws FencedError where another process has taken it over
 */
export const replay = async (world: World, options: ExecuteOptions, signal: AbortSignal): Promise<Replay> => {
  const { broker, clock } = world;
  const asked = await planReplay(world, options);
  if (asked.known.done !== undefined) return { plan: asked, written: 0 };
  await refuseLive(broker.admin, asked.target);
  const producer = await broker.transactionalProducer(`${transactionalIdPrefix(REPLAY_GROUP)}${asked.id}`);
  try {
    const begun = await begin(world, options, producer);
    const { plan } = begun;
    if (plan.known.done !== undefined) return { plan, written: 0 };
    const written = await write(world, begun, options, producer, signal);
    const { log, run } = plan;
    await log.write({ ...run, state: 'done', at: clock.now(), by: options.by, report: JSON.stringify({ ...plan.terms, written }) });
    return { plan, written };
  } finally {
    await producer.close();
  }
}; // prettier-ignore
