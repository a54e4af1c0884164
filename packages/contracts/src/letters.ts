import { redrivenOf, topicIn, wholeIn } from './redrive.ts';
import { asideTopic } from './topics.ts';

export interface Coordinates {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What a dead letter says of itself, in the headers that the processor gave it. */
export interface LetterAbout {
  /** The record that was rejected. */
  readonly rejected: Coordinates;
  /** Where it first stood: the same, unless it had been sent again before. */
  readonly source: Coordinates;
  /** Times it had been sent again. */
  readonly redriven: number;
  readonly reason: string;
  readonly stage: string;
  readonly group: string;
  readonly message: string;
  /** Times it was handed over before it was rejected. */
  readonly deliveries: number;
}

const PREFIX = '__dlq.errors.';

export const isLetterHeader = (name: string): boolean => name.startsWith(PREFIX);

/** Reads what a letter says; undefined where the record is no letter of ours. */
export const letterOf = (header: (name: string) => Uint8Array | undefined): LetterAbout | undefined => {
  const text = (name: string): string | undefined => {
    const bytes = header(`${PREFIX}${name}`);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  };
  const topic = topicIn(header(`${PREFIX}topic`));
  const [reason, stage] = [text('reason'), text('stage')];
  const [partition, offset, deliveries] = ['partition', 'offset', 'delivery.count'].map(name =>
    wholeIn(header(`${PREFIX}${name}`)),
  );
  if (topic === undefined || reason === undefined || stage === undefined) return undefined;
  if (partition === undefined || offset === undefined) return undefined;
  const rejected = { topic, partition, offset };
  // Only we write aside: on any other topic these headers are a producer's own, and say nothing.
  const redriven = asideTopic(topic) === topic ? redrivenOf(header) : undefined;
  return {
    rejected,
    source: redriven?.source ?? rejected,
    redriven: redriven?.count ?? 0,
    reason,
    stage,
    group: text('group') ?? '',
    message: text('message') ?? '',
    deliveries: deliveries ?? 1,
  };
};
