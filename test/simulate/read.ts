import type { ServiceName, TopicKind } from '@millrace/contracts';
import type { RecordRun } from '@millrace/stream';
import type { Town } from './town.ts';
import type { World } from './world.ts';

const IN_GROUPS: ReadonlySet<TopicKind> = new Set(['events', 'repartition', 'features', 'aside']);

/** A record as a reader of committed records sees it. */
export interface Seen {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly appendTimeMs: number;
  readonly key: string | undefined;
  readonly value: Uint8Array | null;
  readonly header: (name: string) => string | undefined;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function* seenIn(run: RecordRun): Generator<Seen> {
  const { topic, partition } = run;
  for (let i = 0; i < run.length; i++) {
    const key = run.key(i);
    yield {
      topic,
      partition,
      offset: run.offset(i),
      appendTimeMs: run.appendTimeMs(i),
      key: key === null ? undefined : textOf(key),
      value: run.value(i),
      header: name => {
        const bytes = run.header(i, name);
        return bytes === undefined ? undefined : textOf(bytes);
      },
    };
  }
}

/** Committed records of one partition between two offsets. */
export function readRange(
  town: Town,
  topic: string,
  partition: number,
  from: number,
  until: number,
): Promise<readonly Seen[]> {
  const at = { topic, partition };
  const read = async (): Promise<readonly Seen[]> => {
    const seen: Seen[] = [];
    const runs = town.outside.read({
      from: [{ ...at, offset: from }],
      until: [{ ...at, offset: until }],
    });
    for await (const run of runs) seen.push(...seenIn(run));
    return seen;
  };
  return town.ask(read());
}

/** Topics that a service reads record by record in its group. */
export const inputsOf = ({ catalogue }: World, service: ServiceName): readonly string[] =>
  catalogue
    .filter(({ kind, readers }) => IN_GROUPS.has(kind) && readers.includes(service))
    .map(({ name }) => name);

/** All that is committed in a topic, by partition, in the order of offsets. */
export async function readTopic(town: Town, topic: string): Promise<readonly (readonly Seen[])[]> {
  const ends = await town.ask(town.outside.admin.endOffsets(topic));
  const partitions: (readonly Seen[])[] = [];
  for (const { partition, offset } of ends.toSorted((a, b) => a.partition - b.partition))
    partitions.push(await readRange(town, topic, partition, 0, offset));
  return partitions;
}
