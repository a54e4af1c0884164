/** Dead letters as a reader of the topic finds them, and records that become such. */
import type { Codec } from '@millrace/avro';
import type { World } from '@millrace/cli';
import { catalogue, deadLetterTopic } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import { uniqueName } from '../jest/stack.ts';
import { type Ends, endsOf, type Payment, payments, TOPICS } from './world.ts';

export const LETTERS = deadLetterTopic(TOPICS.scored);

export interface Letter {
  readonly partition: number;
  readonly key: string | null;
  readonly value: Buffer;
  /** What it says of its failure, without the prefix of the names. */
  readonly about: Readonly<Record<string, string>>;
  /** Headers of the record that it was. */
  readonly own: readonly (readonly [string, string])[];
}

const ABOUT = '__dlq.errors.';

export const lettersSince = async (world: World, from: Ends): Promise<readonly Letter[]> => {
  const letters: Letter[] = [];
  for await (const run of world.broker.read({ from, until: await endsOf(world, LETTERS) }))
    for (let i = 0; i < run.length; i++) {
      const headers = run.headers(i).map(([name, bytes]) => [name, Buffer.from(bytes).toString()] as const);
      const key = run.key(i);
      letters.push({
        partition: run.partition,
        key: key === null ? null : Buffer.from(key).toString(),
        value: Buffer.from(run.value(i) ?? []),
        about: Object.fromEntries(
          headers.flatMap(([name, text]) =>
            name.startsWith(ABOUT) ? [[name.slice(ABOUT.length), text]] : [],
          ),
        ),
        own: headers.filter(([name]) => !name.startsWith(ABOUT)),
      });
    }
  return letters;
};

/** The amount over which the mutant `feature-stumbles` stumbles. */
export const STUMBLES_AT = 13.37;

/** Of one customer, so of one partition. */
export const ofOne = (count: number): { events: readonly Payment[]; key: Buffer; partition: number } => {
  const key = Buffer.from(uniqueName('letters'));
  const events = payments(count, 1).map(event => ({ ...event, customerId: key.toString() }));
  return { events, key, partition: murmur2Partition(key, fraud.partitions) };
};

export const valueOf = (name: string) => catalogue([fraud]).find(topic => topic.name === name)!.value!;
export const encoded = (codec: Codec<object>, event: Payment): Buffer =>
  Buffer.from(codec.encode({ revision: 0, withdrawn: false, lineage: null, ...event }));
