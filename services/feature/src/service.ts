import { join } from 'node:path';
import { type Codec, openCodec, type RecordCodec, type Registry } from '@millrace/avro';
import { consumerGroup, deadLetterTopic, type Epochs } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type Component, Outage, START_WAIT_MS_MAX } from '@millrace/runtime';
import {
  type Broker,
  globalTable,
  type GlobalTable,
  type InputOptions,
  type LaneMarks,
  lmdbStores,
  processor,
  type Processor,
  type ProcessorOptions,
  type Task,
  type TaskContext,
} from '@millrace/stream';
import {
  type Clock,
  type Logger,
  type Metrics,
  noTracing,
  type Random,
  type Tracing,
} from '@millrace/telemetry';
import type { FeatureSettings } from './config.ts';
import { directTask } from './directTask.ts';
import { EntityCache } from './entityCache.ts';
import { EpochTask } from './epochTask.ts';
import { Freshness } from './freshness.ts';
import { readSetHistory, type SetHistory } from './history.ts';
import { oneKeyTask } from './oneKeyTask.ts';
import { isDirect, type Plan, planOf } from './plan.ts';
import { ProgressView } from './progress.ts';
import { refuseChangedSet } from './published.ts';
import { traced } from './traced.ts';
import type { Inbound, Outputs, ProgressValue, RepartitionValue } from './values.ts';
import type { VectorWriterOptions } from './vector.ts';
import { VectorBytes } from './vectorBytes.ts';

export interface FeatureServiceOptions {
  readonly pipeline: Pipeline;
  readonly broker: Broker;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly tracing?: Tracing;
  readonly config: FeatureSettings;
  /** Longest wait of the start for each dependency. */
  readonly startWaitMsMax?: number;
}

export const featureGroup = (pipeline: Pipeline): string => consumerGroup('feature', pipeline);

/** Longest that a stop waits for epochs to end; their records are read again by the next owner. */
const DRAIN_MS_MAX = 250;

/**
 * With epochs a pause has its effect behind the run that was fetched: so much of each input is held beside its epochs, and
 * read again after a crash before anything closes. Some thousand events.
 */
const EPOCH_FETCH_BYTES_MAX = 131_072;

/**
 * Without epochs what was fetched waits for its commit together with its vectors, which are several times as large, in each
 * of the tasks: with more of it, memory is all that grows. Events are folded faster than a broker on the same cores takes
 * vectors, so what may wait does.
 */
const DIRECT_FETCH_BYTES_MAX = 458_752;
const DIRECT_LANE: LaneMarks = {
  rowsHigh: 8_750,
  rowsLow: 4_375,
  bytesHigh: 8 * 1_048_576,
  bytesLow: 4 * 1_048_576,
};

interface Codecs {
  /** By stream. */
  readonly events: ReadonlyMap<string, Codec<Inbound>>;
  readonly vectors: VectorWriterOptions['vectors'];
  /** By topic. */
  readonly lanes: ReadonlyMap<string, Codec<RepartitionValue>>;
  /** Undefined where none are cut. */
  readonly ofEpochs: { readonly progress: Codec<ProgressValue>; readonly epochs: Codec<Epochs> } | undefined;
}

interface Parts {
  readonly processor: Processor;
  readonly table: GlobalTable<ProgressValue> | undefined;
  readonly progress: ProgressView | undefined;
}

type Open = <T>(topic: string) => Promise<RecordCodec<T>>;

async function openCodecs(plan: Plan, open: Open): Promise<Omit<Codecs, 'ofEpochs'>> {
  const { streams, topics, further } = plan;
  const events = new Map<string, Codec<Inbound>>();
  for (const { stream, topic } of streams) events.set(stream, await open(topic));
  const lanes = new Map<string, Codec<RepartitionValue>>();
  const laneTopics = further.length === 0 ? [] : [...further.map(({ topic }) => topic), topics.release!];
  for (const topic of laneTopics) lanes.set(topic, await open(topic));
  return {
    events,
    lanes,
    vectors: {
      features: new VectorBytes(plan, await open(topics.features)),
      aside: new VectorBytes(plan, await open(topics.aside)),
    },
  };
}

function inputsOf({ sources }: Plan, codecs: Codecs): readonly InputOptions<Inbound>[] {
  const lanes = [...codecs.lanes].map(([topic, codec]): InputOptions<Inbound> => {
    // One codec a topic: what a task is handed is told apart by its topic.
    return { topic, codec: codec as unknown as Codec<Inbound>, lane: 'unbounded' };
  });
  const events = sources.map(({ stream, topic }): InputOptions<Inbound> => {
    const input = { topic, codec: codecs.events.get(stream)! };
    // With epochs the task paces its sources itself: a lane that pauses in the midst of an epoch could never close it.
    return { ...input, lane: codecs.ofEpochs === undefined ? DIRECT_LANE : 'unbounded' };
  });
  return [...events, ...lanes];
}

function outputsOf({ topics, further }: Plan, codecs: Codecs): ProcessorOptions<Inbound, Outputs>['outputs'] {
  const { release, progress, epochs, features, aside } = topics;
  const outputs: Record<string, { topic: string; codec?: unknown }> = {
    features: { topic: features },
    aside: { topic: aside },
  };
  if (codecs.ofEpochs !== undefined) {
    outputs['progress'] = { topic: progress, codec: codecs.ofEpochs.progress };
    outputs['epochs'] = { topic: epochs, codec: codecs.ofEpochs.epochs };
  }
  if (further.length > 0) outputs['release'] = { topic: release!, codec: codecs.lanes.get(release!) };
  for (const { stage, topic } of further)
    outputs[`stage:${stage.key}`] = { topic, codec: codecs.lanes.get(topic) };
  return outputs as ProcessorOptions<Inbound, Outputs>['outputs'];
}

function taskOf(
  { pipeline, config, clock, metrics }: FeatureServiceOptions,
  plan: Plan,
  codecs: Codecs,
  progress: ProgressView | undefined,
  history: SetHistory,
  freshness: Freshness,
  cache: EntityCache,
  context: TaskContext<Outputs>,
): Task<Inbound, Outputs> {
  try {
    const { vectors } = codecs;
    if (progress === undefined)
      return directTask(plan, context, cache, { clock, metrics, vectors, freshness });
    const { epochMs } = pipeline.delivery;
    const cutter = { epochMs, marginMs: config.epochMarginMs, epochsAheadMax: config.epochsAheadMax };
    const epochs = { plan, progress, cutter, history, vectors, freshness, cache, clock, metrics };
    if (plan.further.length === 0) return oneKeyTask(epochs, context);
    const lanes = codecs.lanes.get(plan.topics.release!)!;
    return new EpochTask({ ...epochs, events: codecs.events, lanes }, context);
  } catch (error) {
    // State that does not fit these views will not fit at the next attempt either.
    context.fail(error as Error);
    throw error;
  }
}

async function partsOfService(
  options: FeatureServiceOptions,
  plan: Plan,
  outages: Readonly<Record<'kafka' | 'registry', Outage>>,
  signal: AbortSignal,
): Promise<Parts> {
  const { pipeline, broker, registry, clock, random, metrics, logger, config } = options;
  const patience = { signal, waitMsTotalMax: options.startWaitMsMax ?? START_WAIT_MS_MAX };
  const open: Open = topic =>
    outages.registry.ride(() => openCodec(registry, plan.values.get(topic)!), patience);
  const codecsOfAll = await openCodecs(plan, open);
  const world = { broker, clock, random, metrics, logger };
  await outages.kafka.ride(() => refuseChangedSet(broker, registry, plan), patience);
  const history = await outages.kafka.ride(() => readSetHistory(broker, registry, plan), patience);
  const { topics } = plan;
  const ofEpochs = isDirect(plan, history.run)
    ? undefined
    : { progress: await open<ProgressValue>(topics.progress), epochs: await open<Epochs>(topics.epochs) };
  const codecs: Codecs = { ...codecsOfAll, ofEpochs };
  const table =
    ofEpochs === undefined
      ? undefined
      : globalTable<ProgressValue>({
          ...world,
          name: `progress of ${pipeline.name}`,
          topic: topics.progress,
          codec: ofEpochs.progress,
        });
  const progress = table === undefined ? undefined : new ProgressView(table, pipeline.partitions);
  const freshness = new Freshness(pipeline.name, clock, metrics);
  const cache = new EntityCache(config.stateCacheBytesMax);
  const running = new Map<number, EpochTask>();
  const reader = processor<Inbound, Outputs>({
    ...world,
    name: `feature ${pipeline.name}`,
    group: featureGroup(pipeline),
    inputs: inputsOf(plan, codecs),
    outputs: outputsOf(plan, codecs),
    partitions: pipeline.partitions,
    delivery: 'exactly_once',
    changelog: plan.topics.changelog,
    ...(config.stateDir && { openStore: lmdbStores(join(config.stateDir, featureGroup(pipeline))) }),
    deadLetters: deadLetterTopic,
    rejects: pipeline.rejects.feature ?? {},
    createTask: context => {
      const task = taskOf(options, plan, codecs, progress, history, freshness, cache, context);
      if (task instanceof EpochTask) {
        running.set(context.id, task);
        context.signal.addEventListener('abort', () => running.delete(context.id), { once: true });
      }
      const eventTopics = new Set(plan.sources.map(({ topic }) => topic));
      return traced(task, eventTopics, options.tracing ?? noTracing);
    },
    tickMs: config.tickMs,
    fetchWaitMsMax: config.fetchWaitMsMax,
    fetchLingerMs: config.fetchLingerMs,
    fetchBytesPerPartitionMax: ofEpochs === undefined ? DIRECT_FETCH_BYTES_MAX : EPOCH_FETCH_BYTES_MAX,
    sessionTimeoutMs: config.sessionTimeoutMs,
    stallMsMax: config.stallMsMax,
    waitsFor: task => running.get(task)?.waitsFor(),
    drainMsMax: DRAIN_MS_MAX,
  });
  return { table, progress, processor: reader };
}

/** Computes the features of one pipeline; ready when the progress of the others is known and the group is joined. */
export function featureService(options: FeatureServiceOptions): Component {
  const name = `feature ${options.pipeline.name}`;
  const plan = planOf(options.pipeline);
  const { clock, logger, metrics } = options;
  const outages = {
    kafka: new Outage({ dependency: 'kafka', clock, logger, metrics }),
    registry: new Outage({ dependency: 'registry', clock, logger, metrics }),
  };
  let parts: Parts | undefined;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined); // whoever runs us listens; nobody may be listening yet
  return {
    name,
    failed: failure.promise,
    start: async signal => {
      parts = await partsOfService(options, plan, outages, signal);
      for (const part of [parts.table, parts.processor]) {
        if (part === undefined) continue;
        part.failed.catch((error: unknown) => failure.reject(error));
        await part.start(signal);
      }
    },
    stop: async deadlineMs => {
      await parts?.processor.stop(deadlineMs);
      parts?.progress?.close();
      await parts?.table?.stop(deadlineMs);
    },
    notReady: () =>
      parts === undefined
        ? (outages.registry.notReady() ?? outages.kafka.notReady() ?? 'not started')
        : (parts.table?.notReady() ?? parts.processor.notReady()),
  };
}
