/** A task that takes over where an earlier life had read far ahead of the others. */
import { expect, test } from '@jest/globals';
import { EPOCH_NONE, epochOf } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import type { KeyedState, TaskContext, TopicPartition } from '@millrace/stream';
import { noMetrics, turnedClock } from '@millrace/telemetry';
import { TaskBook } from '../src/book.ts';
import { EntityCache } from '../src/entityCache.ts';
import { EpochTask } from '../src/epochTask.ts';
import { Freshness } from '../src/freshness.ts';
import { planOf } from '../src/plan.ts';
import type { ProgressView } from '../src/progress.ts';
import type { Outputs } from '../src/values.ts';

const EPOCHS_AHEAD_MAX = 3;
const plan = planOf(fraud);
const clock = turnedClock(0);
const epochs = [1, 2, 3, 4].map(n => epochOf({ phase: 'live', n }));

/** Topics paused by a task, once it is created over a state with epochs of its first input ahead of `released`. */
function pausedAtFirst(releasedMin: number): readonly string[] {
  const map = new Map<string, Uint8Array>();
  const state = {
    get: (key: string) => map.get(key),
    put: (key: string, value: Uint8Array) => map.set(key, new Uint8Array(value)),
    nextKeys: () => [],
  } as unknown as KeyedState;
  const book = new TaskBook(state, plan.set.hash, fraud.partitions, undefined);
  const input = { readTo: 0, ahead: [] };
  book.cut(
    plan.sources.map(({ topic }) => topic),
    {
      closed: epochs.at(-1)!,
      inputs: plan.sources.map((_, i) => (i === 0 ? { ...input, ahead: epochs } : input)),
    },
  );
  book.flush();
  const paused: string[] = [];
  const context = {
    id: 0,
    positions: [],
    state,
    signal: new AbortController().signal,
    pause: ({ topic }: TopicPartition) => paused.push(topic),
  } as unknown as TaskContext<Outputs>;
  const progress = { headMax: EPOCH_NONE, releasedMin, onChange: () => () => undefined };
  const task = new EpochTask(
    {
      plan,
      progress: progress as unknown as ProgressView,
      cutter: { epochMs: 100, marginMs: 10, epochsAheadMax: EPOCHS_AHEAD_MAX },
      history: { run: undefined, of: () => plan.sources.map(() => ({ from: 0, history: undefined })) },
      events: new Map(),
      lanes: undefined as never,
      vectors: undefined as never,
      freshness: new Freshness('fraud', clock, noMetrics),
      cache: new EntityCache(2 ** 20),
      clock,
      metrics: noMetrics,
    },
    context,
  );
  task.onRevoke();
  return paused;
}

test('a task that begins further ahead than it may is paused before it reads', () => {
  expect(pausedAtFirst(EPOCH_NONE)).toEqual([plan.sources[0]!.topic]);
  expect(pausedAtFirst(epochs[0]!)).toEqual([]);
});
