/** Everything that is judged of a run when it has come to rest. */
import { setTimeout as sleep } from 'node:timers/promises';
import { topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { type LetterLine, LETTERS, type PredictionLine, PREDICTIONS } from '../rig/follower.ts';
import { type Entry, isAnswered, placeName } from '../rig/ledger.ts';
import type { Rig } from '../rig/rig.ts';
import type { Scene } from '../scene.ts';
import { linesOf, type Python } from '../rig/script.ts';
import { wrongCounts } from './counts.ts';
import { hangingTransactions } from './hanging.ts';
import { type Delivery, judge, type Judgement } from './judge.ts';
import { type Recovery, recoveryOf, type TakeOver, takeOversOf } from './recovery.ts';
import { type InputLine, placeAll } from './places.ts';
import { readRows, type RowsJudgement } from './rows.ts';
import { judgeState, type StateJudgement, type StateLine } from './state.ts';

export interface Verdict extends Judgement {
  /** Running counts that are wrong. */
  readonly wrong: number;
  /** Inputs that lie elsewhere than their producer was told: it sent them twice. */
  readonly moved: number;
  readonly state: StateJudgement;
  readonly rows: RowsJudgement;
  readonly hanging: readonly string[];
  /** Partitions whose last stable offset is behind their end. */
  readonly open: readonly string[];
  /** Records that the reader beside the services saw otherwise than the one that read afterwards. */
  readonly seenOtherwise: number;
  readonly recovery: Recovery;
  /** Of each fault that others have to take over from, for each partition that stood to lose by it. */
  readonly takeOvers: readonly TakeOver[];
}

const TOPICS = topicsOf(fraud);
const WRITTEN = [
  PREDICTIONS, ...LETTERS, TOPICS.features, TOPICS.aside, TOPICS.changelog, TOPICS.progress, TOPICS.release!,
  ...Object.values(TOPICS.repartition),
]; // prettier-ignore
const AGAIN_MS = 2_000;
const ATTEMPTS_MAX = 20;

/** Waits until every input has an answer, or the patience is over: what is missing then is lost. */
export const comeToRest = async (
  rig: Rig,
  { gone, resent }: Pick<Scene, 'gone' | 'resent'>,
  patienceMs: number,
): Promise<void> => {
  const end = performance.now() + patienceMs;
  const { ledger } = rig.feed;
  const { scored, aside } = rig.follower;
  const isDone = (): boolean =>
    ledger.outstanding === 0 &&
    ledger.entries.every(({ n, kind, id, topic, at }) => {
      if (kind === 'event' && scored.has(id)) return true;
      if (!isAnswered(kind)) return true;
      if (resent.has(n)) return false;
      const place = at === undefined ? '' : placeName(topic, at.partition, at.offset);
      return aside.has(place) || gone.has(place);
    });
  while (!isDone() && performance.now() < end) {
    rig.options.signal.throwIfAborted();
    await sleep(500);
  }
};

/** Asks again while the answer is not clean: what was just committed may not show yet. */
const settled = async <T>(ask: () => Promise<T>, isClean: (answer: T) => boolean): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    const answer = await ask();
    if (isClean(answer) || attempt === ATTEMPTS_MAX) return answer;
    await sleep(AGAIN_MS);
  }
};

const openPartitions = async (python: Python, bootstrap: string): Promise<readonly string[]> => {
  const [ends] = await linesOf<readonly [string, number, number, number][]>(python, 'ends.py', {
    bootstrap,
    topics: WRITTEN.join(','),
  });
  return ends!.flatMap(([topic, partition, end, stable]) =>
    end === stable ? [] : [`${topic}-${partition}: stable to ${stable} of ${end}`],
  );
};

/** When each partition was answered, in order; also of those that never were. */
const timesOf = (predictions: readonly PredictionLine[]): ReadonlyMap<number, readonly number[]> => {
  const times = new Map(
    Array.from({ length: fraud.partitions }, (_, partition) => [partition, [] as number[]]),
  );
  for (const [partition, lines] of Map.groupBy(predictions, one => one.partition))
    times.set(
      partition,
      lines.map(({ timeMs }) => timeMs).sort((a, b) => a - b),
    );
  return times;
};

export const verdictOf = async (
  rig: Rig,
  delivery: Delivery,
  { faults, gone, resent }: Pick<Scene, 'faults' | 'gone' | 'resent'>,
  isRejected?: (entry: Entry) => boolean,
): Promise<Verdict> => {
  const { python, stack, feed, follower } = rig;
  const bootstrap = stack.kafka;
  const read = <T>(topic: string, as: string): Promise<readonly T[]> =>
    linesOf<T>(python, 'read.py', { bootstrap, registry: stack.registry, topic, as });
  const open = await settled(
    () => openPartitions(python, bootstrap),
    found => found.length === 0,
  );
  const streams = Object.values(TOPICS.events);
  const inputs = await Promise.all(
    streams.map(async topic => [topic, await read<InputLine>(topic, 'inputs')] as const),
  );
  const moved = placeAll(feed.ledger, new Map(inputs));
  const predictions = await read<PredictionLine>(PREDICTIONS, 'predictions');
  const letters = (await Promise.all(LETTERS.map(topic => read<LetterLine>(topic, 'letters')))).flat();
  const state = await settled(
    async () => judgeState(feed.ledger, await read<StateLine>(TOPICS.changelog, 'latest')),
    found => found.different === 0,
  );
  const rows = await readRows(stack.postgres, predictions);
  const hanging = await hangingTransactions(bootstrap, rig.options);
  const times = timesOf(predictions);
  return {
    ...judge({ entries: feed.ledger.entries, predictions, letters, delivery, gone, resent, isRejected }),
    wrong: wrongCounts(feed.ledger, predictions),
    moved,
    state,
    rows,
    hanging,
    open,
    seenOtherwise:
      Math.abs(follower.predictions - predictions.length) + Math.abs(follower.letters - letters.length),
    recovery: recoveryOf(faults, times),
    takeOvers: takeOversOf(faults, times),
  };
};
