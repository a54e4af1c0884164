import {
  type Clock,
  type Logger,
  type Metrics,
  noLogger,
  noMetrics,
  systemClock,
  systemRandom,
} from '@millrace/telemetry';
import type { Broker, GroupMember, Membership, TopicDescription } from '../broker/port.ts';
import type { StateStore } from '../state/store.ts';
import type { Task, TaskContext } from '../task.ts';
import {
  COMMIT_DEFAULT,
  type CommitOptions,
  type Delivery,
  DRAIN_MS_MAX_DEFAULT,
  type InputOptions,
  type OutputOptions,
  type ProcessorOptions,
  type RejectPolicies,
  RETRY_DEFAULT,
  type RetryOptions,
  STALL_MS_MAX_DEFAULT,
  TICK_MS_DEFAULT,
} from './options.ts';

/** The options with their defaults: what every part of a processor may know. */
export interface Setting<In, Out extends object> {
  readonly name: string;
  readonly broker: Broker;
  readonly group: string;
  readonly inputs: readonly InputOptions<In>[];
  readonly topics: readonly string[];
  readonly outputs: { readonly [K in keyof Out & string]: OutputOptions<Out[K]> };
  readonly partitions: number | undefined;
  readonly delivery: Delivery;
  readonly changelog: string | undefined;
  readonly openStore: ((task: number) => StateStore | Promise<StateStore>) | undefined;
  readonly createTask: (context: TaskContext<Out>) => Task<In, Out> | Promise<Task<In, Out>>;
  readonly commit: CommitOptions;
  readonly tickMs: number;
  readonly retry: RetryOptions;
  readonly stallMsMax: number;
  readonly waitsFor: (task: number) => string | undefined;
  readonly deadLetters: (inputTopic: string) => string;
  readonly rejects: RejectPolicies;
  readonly drainMsMax: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** What a task needs of the group that it was assigned by. */
export interface Group extends Pick<Membership, 'pause' | 'resume' | 'seek' | 'commit' | 'heartbeat'> {
  member(): Promise<GroupMember>;
}

export function settingOf<In, Out extends object>(options: ProcessorOptions<In, Out>): Setting<In, Out> {
  if (options.changelog !== undefined && options.delivery !== 'exactly_once')
    throw new TypeError(
      `${options.group}: keyed state needs exactly_once, a redelivery would meet advanced state`,
    );
  if (options.delivery === 'external' && Object.values(options.rejects ?? {}).includes('hold'))
    throw new TypeError(`${options.group}: offsets of its own pass a record on hold, so it must not hold`);
  if (options.inputs.length === 0) throw new TypeError(`${options.group}: no inputs`);
  const name = options.name ?? options.group;
  return {
    name,
    broker: options.broker,
    group: options.group,
    inputs: options.inputs,
    topics: options.inputs.map(({ topic }) => topic),
    outputs: options.outputs,
    partitions: options.partitions,
    delivery: options.delivery,
    changelog: options.changelog,
    openStore: options.openStore,
    createTask: options.createTask,
    commit: { ...COMMIT_DEFAULT, ...options.commit },
    tickMs: options.tickMs ?? TICK_MS_DEFAULT,
    retry: { ...RETRY_DEFAULT, ...options.retry },
    stallMsMax: options.stallMsMax ?? STALL_MS_MAX_DEFAULT,
    waitsFor: options.waitsFor ?? (() => undefined),
    deadLetters: options.deadLetters ?? (topic => `${topic}.dlq`),
    rejects: options.rejects ?? {},
    drainMsMax: options.drainMsMax ?? DRAIN_MS_MAX_DEFAULT,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    metrics: options.metrics ?? noMetrics,
    logger: (options.logger ?? noLogger).child({ processor: name }),
  };
}

/** What to do where the partitions of a topic with state behind it were added to. */
export const PARTITIONS_REMEDY =
  'Partitions cannot be added to a topic with state: keys would move away from what is known of them. ' +
  'docs/OPERATING.md (Partitions) has the way to more of them.';

/** Partition counts of every topic that the processor touches. */
export type Partitions = ReadonlyMap<string, number>;

export interface Survey {
  readonly partitions: Partitions;
  /** By name. */
  readonly topicIds: ReadonlyMap<string, string>;
}

/** @throws Error naming every topic that is missing or has another partition count than its task needs. */
export async function surveyTopics<In, Out extends object>(setting: Setting<In, Out>): Promise<Survey> {
  const { topics, changelog, deadLetters } = setting;
  const outputs = Object.values<OutputOptions<unknown>>(setting.outputs).map(({ topic }) => topic);
  const like = [...topics, ...topics.map(deadLetters), ...(changelog === undefined ? [] : [changelog])];
  const found = await setting.broker.admin.describeTopics([...new Set([...like, ...outputs])]);
  const partitions = new Map(found.map((topic: TopicDescription) => [topic.name, topic.partitions]));
  const missing = [...like, ...outputs].filter(name => !partitions.has(name));
  if (missing.length > 0) throw new Error(`${setting.name}: topics missing: ${missing.join(', ')}`);
  const expected = setting.partitions ?? partitions.get(topics[0]!)!;
  const uneven = like.filter(name => partitions.get(name) !== expected);
  if (uneven.length > 0)
    throw new Error(
      `${setting.name}: task p works on partition p of each, so these need ${expected} partitions` +
        `${setting.partitions === undefined ? ` like ${topics[0]}` : ''}: ` +
        uneven.map(name => `${name} (${partitions.get(name)})`).join(', ') +
        (changelog === undefined ? '' : `. ${PARTITIONS_REMEDY}`),
    );
  return { partitions, topicIds: new Map(found.map(({ name, id }) => [name, id])) };
}
