import type {
  Broker,
  GroupListener,
  GroupOptions,
  Membership,
  OutRecord,
  PartitionOffset,
  RecordRun,
  TopicPartition,
} from '../../src/broker/port.ts';

/** A cluster under test. */
export interface BrokerHarness {
  /** Another client of the same cluster, as another process would have it. */
  connect(): Broker;
  /** Compacts the topic's partitions, or waits until the cluster has. */
  compact(topic: string): Promise<void>;
  /** What retention does: the partition begins at the offset. */
  dropBefore(at: PartitionOffset): Promise<void>;
  /** Topic settings under which `compact` works. */
  readonly compactedConfig: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface Seen extends TopicPartition {
  readonly offset: number;
  readonly appendTimeMs: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string])[];
}

const POLL_MS = 5;
const WAIT_MS = 20_000;

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('utf8');

export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

let names = 0;
/** A name that no earlier run has used, for topics, groups and transactional ids. */
export const unique = (what: string): string =>
  `${what}-${Date.now().toString(36)}-${process.pid}-${++names}`;

export const out = (topic: string, partition: number, key: string, value: string | null): OutRecord => ({
  topic,
  partition,
  key: bytes(key),
  value: value === null ? null : bytes(value),
});

export const recordsOf = (run: RecordRun): Seen[] =>
  Array.from({ length: run.length }, (_, i) => ({
    topic: run.topic,
    partition: run.partition,
    offset: run.offset(i),
    appendTimeMs: run.appendTimeMs(i),
    key: text(run.key(i)),
    value: text(run.value(i)),
    headers: run.headers(i).map(([name, value]) => [name, text(value)!] as const),
  }));

/** Everything that is committed in the topic now. */
export const readAll = async (broker: Broker, topic: string): Promise<Seen[]> => {
  const seen: Seen[] = [];
  const until = await broker.admin.endOffsets(topic);
  for await (const run of broker.read({ from: { topic, at: 'beginning' }, until }))
    seen.push(...recordsOf(run));
  return seen;
};

/** Everything, once it is `count` records: Kafka answers a commit before its markers are written everywhere. */
export const readCommitted = async (broker: Broker, topic: string, count: number): Promise<Seen[]> => {
  let seen: Seen[] = [];
  await eventually(`${count} records`, async () => (seen = await readAll(broker, topic)).length >= count);
  return seen;
};

export const valuesOf = (seen: readonly Seen[], partition?: number): (string | null)[] =>
  seen.filter(record => partition === undefined || record.partition === partition).map(({ value }) => value);

export const eventually = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  waitMs = WAIT_MS,
): Promise<void> => {
  const until = Date.now() + waitMs;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`waited ${waitMs} ms in vain: ${what}`);
    await pause(POLL_MS);
  }
};

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

export interface Assigned {
  readonly generation: number;
  readonly positions: readonly PartitionOffset[];
}

/** A member that writes down what it hears. */
export interface Member extends Membership {
  readonly seen: Seen[];
  readonly assignments: Assigned[];
  readonly caughtUp: PartitionOffset[];
  readonly failures: Error[];
  /** What it owns now, as `topic/partition`, sorted. */
  owned(): string[];
}

export const joinAs = async (
  broker: Broker,
  options: GroupOptions,
  on: Partial<GroupListener> = {},
): Promise<Member> => {
  const seen: Seen[] = [];
  const assignments: Assigned[] = [];
  const caughtUp: PartitionOffset[] = [];
  const failures: Error[] = [];
  const membership = await broker.join(options, {
    assigned: async assignment => {
      assignments.push(assignment);
      await on.assigned?.(assignment);
    },
    run: run => {
      seen.push(...recordsOf(run));
      on.run?.(run);
    },
    caughtUp: at => caughtUp.push(at),
    failed: error => failures.push(error),
  });
  const owned = (): string[] =>
    (assignments.at(-1)?.positions ?? []).map(({ topic, partition }) => `${topic}/${partition}`).sort();
  return {
    seen,
    assignments,
    caughtUp,
    failures,
    owned,
    get generation() {
      return membership.generation;
    },
    pause: partitions => membership.pause(partitions),
    resume: partitions => membership.resume(partitions),
    seek: to => membership.seek(to),
    commit: offsets => membership.commit(offsets),
    member: () => membership.member(),
    heartbeat: () => membership.heartbeat(),
    leave: () => membership.leave(),
  };
};

export const assignedTo = (member: Member): Promise<void> =>
  eventually('an assignment', () => member.assignments.length > 0);

/** Waits until the members own all of the partitions between them, in the same generation. */
export const settled = (members: readonly Member[], partitions: number): Promise<void> =>
  eventually(`${members.length} members to own ${partitions} partitions`, () => {
    const owned = members.flatMap(member => member.owned());
    const generations = new Set(members.map(({ generation }) => generation));
    return generations.size === 1 && owned.length === partitions && new Set(owned).size === partitions;
  });
