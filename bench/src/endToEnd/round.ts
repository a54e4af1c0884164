/** One round of a chain: a steady rate, or a backlog to work off. Every answer is looked at. */
import { dirname, join } from 'node:path';
import { stageKeys, topicsOf } from '@millrace/contracts';
import { sinkGroup } from '@millrace/sink';
import { scoresOffline } from '../check.ts';
import { disturbance, type Percentiles, percentilesOf, type Sample } from '../figures.ts';
import { type AppendTime, appendTimes, follow, MARKERS_MS, Sightings } from '../follow.ts';
import { coresOfMachine } from '../linux/usage.ts';
import { type Folded, paymentOf, type Payments } from '../load/payments.ts';
import { Sheet } from '../sheet.ts';
import { samplesOf, untilAllAnswered } from '../watch.ts';
import { type BenchWorld, MODEL_VERSION } from '../world/open.ts';
import { type Chain, type RunningChain, startChain } from './chain.ts';
import { type ChainAccount, chainAccount } from './judge.ts';
import type { Rows, StoredAnswer } from './rows.ts';
import { type Usage, usageOf } from './usage.ts';

export interface Course {
  readonly world: BenchWorld;
  readonly chain: Chain;
  readonly payments: Payments;
  readonly folded: Folded;
  readonly rows: Rows;
}

export interface Figured extends Usage {
  readonly recordsPerSecond: number;
  /** Share of the machine that others used. */
  readonly othersShare: number;
  readonly disturbed: string | undefined;
}

export interface SteadyRound extends Figured, Percentiles {
  /** From the event's append until a reader has its vector. */
  readonly vectorP50: number;
  readonly vectorP99: number;
  readonly account: ChainAccount;
}

export interface FullRound extends Figured {
  readonly account: ChainAccount;
}

/** The rate runs that long before anything counts. */
const WARM_UP_S = 5;
/**
 * A backlog is written at this rate, payments a second, so that its epochs, which are cut by append time, hold about what
 * those of a stream would that is as fast as the chain.
 */
const BACKLOG_PER_SECOND = 20_000;

/** A chain at work, with those who read beside it. */
interface Stretch {
  readonly running: RunningChain;
  /** Number of the first payment. */
  readonly first: number;
  readonly predictions: Sightings;
  readonly vectors: Sightings;
  /** Rows stored of the predictions seen. */
  stored(): Promise<number>;
}

/** Starts the chain and follows what it writes until everything sent by then and in `work` is stored, and can be read. */
const withChain = async <T>(course: Course, first: number, work: (stretch: Stretch) => Promise<T>): Promise<{ readonly stretch: Stretch; readonly done: T }> => {
  const { world, chain, rows } = course;
  const { broker, clock, signal } = world;
  const { features, predictions: topic } = topicsOf(chain.pipeline);
  const over = new AbortController();
  const either = AbortSignal.any([over.signal, signal]);
  const [predictions, vectors] = [new Sightings(), new Sightings()];
  const [fromPredictions, fromVectors] = [await broker.admin.endOffsets(topic), await broker.admin.endOffsets(features)];
  const running = await startChain(world, chain);
  try {
    const reading = Promise.all([follow(world, fromPredictions, predictions, either), follow(world, fromVectors, vectors, either)]);
    const stored = async (): Promise<number> => predictions.before(await rows.nextOffsets(sinkGroup(chain.pipeline), topic));
    const stretch: Stretch = { running, first, predictions, vectors, stored };
    const done = await work(stretch);
    await clock.sleep(MARKERS_MS, signal);
    over.abort();
    await reading;
    return { stretch, done };
  } finally {
    over.abort();
    await running.stop();
  }
}; // prettier-ignore

const look = ({ world }: Course, { running }: Stretch, records: number): readonly Sample[] =>
  samplesOf(world, running.watched, records);

/** Waits until all that was sent is stored, looking each time that there is more. */
const untilStored = (course: Course, stretch: Stretch): Promise<readonly (readonly Sample[])[]> => {
  const { world, payments } = course;
  const asked = { answered: () => stretch.stored(), expected: payments.sent - stretch.first };
  return untilAllAnswered(world, stretch.running.children, asked, records => look(course, stretch, records));
};

/** Reads every row of the stretch, hands each over, and judges all of them. */
const judge = async (
  { world, chain, payments, folded, rows }: Course,
  { first, predictions }: Stretch,
  onAnswer: (payment: number, answer: StoredAnswer) => void = () => undefined,
): Promise<ChainAccount> => {
  const { pipeline } = chain;
  const { names } = folded;
  const to = payments.sent;
  const [firstKey] = stageKeys(pipeline);
  const further = pipeline.features.views.filter(({ key }) => key !== undefined && key !== firstKey);
  const ordered = new Set(further.flatMap(({ features }) => Object.keys(features)));
  const sheet = new Sheet({ names, from: first, to, ordered });
  const scores = new Float64Array(to - first);
  for await (const some of rows.answers(pipeline.name, first))
    for (const answer of some) {
      const payment = paymentOf(answer.eventId);
      if (!sheet.add(payment, answer.features)) continue;
      scores[payment - first] = answer.score;
      onAnswer(payment, answer);
    }
  const model = join(dirname(dirname(world.modelFolder)), pipeline.model.name, MODEL_VERSION);
  const offline = await scoresOffline(model, names, sheet.rows);
  const expected = folded.next(to - first);
  return chainAccount(sheet, { onTopic: predictions.size, expected, scores, offline });
};

/** Has the chain work off payments that nothing is counted of: windows have filled and labels come by then. */
export const workOff = async (course: Course, payments: number): Promise<void> => {
  await backlog(course, payments);
  course.folded.next(payments);
};

const backlog = async (course: Course, payments: number) => {
  const { payments: load } = course;
  const first = load.sent;
  await load.send(payments, BACKLOG_PER_SECOND);
  return withChain(course, first, async stretch => {
    const looks = await untilStored(course, stretch);
    return { looks, memory: stretch.running.memory() };
  });
};

export const fullRound = async (course: Course, payments: number): Promise<FullRound> => {
  const { stretch, done } = await backlog(course, payments);
  const { usage, costs } = usageOf(done.looks, coresOfMachine(), done.memory);
  const [{ recordsPerSecond, othersShare }] = costs as [(typeof costs)[number]];
  // On a machine that is full each waits for a core: that is of the chain's own making.
  const disturbed = disturbance({ othersShare, runQueueShare: 0 });
  return { ...usage, recordsPerSecond, othersShare, disturbed, account: await judge(course, stretch) };
};

interface Waits {
  readonly predictions: number[];
  readonly vectors: number[];
}

/** Notes how long an answer took; `appended` is of its event. */
const noteWaits = (waits: Waits, { predictions, vectors }: Stretch, answer: StoredAnswer, appended: AppendTime): void => {
  const { partition, offset, vectorOffset, sourcePartition, sourceOffset } = answer;
  const appendedMs = appended(sourcePartition, sourceOffset);
  const [seenMs, vectorMs] = [predictions.at(partition, offset), vectors.at(partition, vectorOffset)];
  if (seenMs !== undefined) waits.predictions.push(seenMs - appendedMs);
  if (vectorMs !== undefined) waits.vectors.push(vectorMs - appendedMs);
}; // prettier-ignore

export const steadyRound = async (
  course: Course,
  perSecond: number,
  seconds: number,
): Promise<SteadyRound> => {
  const { world, chain, payments } = course;
  const { scored } = topicsOf(chain.pipeline);
  const events = await world.broker.admin.endOffsets(scored);
  const { stretch, done } = await withChain(course, payments.sent, async at => {
    await at.running.ready();
    await payments.send(perSecond * WARM_UP_S, perSecond);
    const counted = payments.sent;
    // At a steady rate what comes in is what is worked on, however late its answers are.
    const start = look(course, at, counted - at.first);
    await payments.send(perSecond * seconds, perSecond);
    const end = look(course, at, payments.sent - at.first);
    await untilStored(course, at);
    return { counted, looks: [start, end], memory: at.running.memory() };
  });
  const { usage, costs } = usageOf(done.looks, coresOfMachine(), done.memory);
  const appended = await appendTimes(world, scored, events);
  const waits: Waits = { predictions: [], vectors: [] };
  const account = await judge(course, stretch, (payment, answer) => {
    if (payment >= done.counted) noteWaits(waits, stretch, answer, appended);
  });
  const vectors = percentilesOf(Float64Array.from(waits.vectors));
  const [{ recordsPerSecond, othersShare }] = costs as [(typeof costs)[number]];
  const runQueueShare = Math.max(...costs.map(cost => cost.runQueueShare));
  return {
    ...usage,
    ...percentilesOf(Float64Array.from(waits.predictions)),
    vectorP50: vectors.p50,
    vectorP99: vectors.p99,
    recordsPerSecond,
    othersShare,
    disturbed: disturbance({ othersShare, runQueueShare }),
    account,
  };
};
