import { asideTopic, catalogue, deadLetterTopic, type Topic } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { UsageError } from '../io.ts';

/** A dead letter topic, the topic whose letters are there, and where they are sent again. */
export interface LetterTopic {
  readonly letters: Topic;
  readonly of: Topic;
  /** Undefined where they cannot be. */
  readonly aside: Topic | undefined;
}

/** Every dead letter topic of the pipelines. */
export const letterTopics = (pipelines: readonly Pipeline[]): readonly LetterTopic[] => {
  const topics = new Map(catalogue(pipelines).map(topic => [topic.name, topic]));
  return [...topics.values()].flatMap(of => {
    const letters = topics.get(deadLetterTopic(of.name));
    if (letters === undefined || of.kind === 'aside') return [];
    return [{ letters, of, aside: topics.get(asideTopic(of.name)) }];
  });
};

/** One of them, by its own name or by that of the topic whose letters it holds. @throws UsageError naming all */
export const letterTopicNamed = (pipelines: readonly Pipeline[], name: string): LetterTopic => {
  const all = letterTopics(pipelines);
  const found = all.find(({ letters, of }) => letters.name === name || of.name === name);
  if (found === undefined)
    throw new UsageError(
      `there are no dead letters of ${name}; there are those of ${all.map(({ of }) => of.name).join(', ')}`,
    );
  return found;
};

export interface TopicFlag {
  readonly name: string;
  readonly partitions: readonly number[] | undefined;
}

/** Kafka's own form: `topic`, or `topic:0,3` for some of its partitions. @throws UsageError */
export const parseTopicFlag = (flag: string): TopicFlag => {
  const [name = '', list, ...more] = flag.split(':');
  const partitions = list?.split(',').map(text => (/^\d+$/.test(text) ? Number(text) : Number.NaN));
  if (name === '' || more.length > 0 || partitions?.some(Number.isNaN) === true)
    throw new UsageError(`'${flag}' is no topic with partitions; write TOPIC or TOPIC:0,1`);
  return { name, partitions };
};
