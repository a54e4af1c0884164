/** Who has which partitions just now, as Kafka tells librdkafka. */
import { hostname } from 'node:os';
import { consumerGroup, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import type { Member } from './fleet.ts';
import { PREDICTIONS } from './follower.ts';
import type { Rig } from './rig.ts';
import { linesOf } from './script.ts';

/** As `owners.py` tells it. */
interface Owners {
  readonly leaders: Readonly<Record<string, number>>;
  readonly members: Readonly<Record<string, readonly number[]>>;
}

const TOPICS = topicsOf(fraud);
/** Of these services others take partitions over before anything is scored again, and of these topics. */
const READ = { feature: TOPICS.scored, inference: TOPICS.features } as const;

type Asked = Pick<Rig, 'python' | 'stack' | 'options'>;

/** Nothing where Kafka does not say: a fault may still be at work. */
const ask = async ({ python, stack, options }: Asked, topic: string, group?: string): Promise<Owners> => {
  const where = { bootstrap: stack.kafka, topic, ...(group === undefined ? {} : { group }) };
  try {
    return (await linesOf<Owners>(python, 'owners.py', where))[0]!;
  } catch (error) {
    options.signal.throwIfAborted();
    options.say(`  who has the partitions of ${topic} is not known: ${(error as Error).message}`);
    return { leaders: {}, members: {} };
  }
};

/** Partitions that nobody scores until others have taken them over from the member. */
export const ownedBy = async (rig: Asked, { service, child }: Member): Promise<readonly number[]> => {
  if (service !== 'feature' && service !== 'inference') return [];
  const { members } = await ask(rig, READ[service], consumerGroup(service, fraud));
  return members[`${hostname()}-${child.pid}`] ?? [];
};

/** Partitions of the predictions, those that the broker leads and the others. */
export const ledBy = async (
  rig: Asked,
  broker: number,
): Promise<{ readonly its: readonly number[]; readonly others: readonly number[] }> => {
  const { leaders } = await ask(rig, PREDICTIONS);
  const of = (isIts: boolean): readonly number[] =>
    Object.entries(leaders).flatMap(([partition, leader]) =>
      (leader === broker) === isIts ? [Number(partition)] : [],
    );
  return { its: of(true), others: of(false) };
};
