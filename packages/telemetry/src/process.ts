import type { Tracing } from './tracing.ts';

/** A micro-batch of one partition, and the `traceparent` of each of its records that carries one. */
export interface ProcessedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly rows: number;
  readonly traceparents: readonly string[];
}

/** Runs `work` in the `process <topic>` span of a micro-batch, linked to what its records came from. */
export const processSpan = <T>(
  tracing: Tracing,
  { topic, partition, rows, traceparents }: ProcessedBatch,
  work: () => Promise<T>,
): Promise<T> =>
  tracing.span(
    `process ${topic}`,
    {
      kind: 'consumer',
      links: traceparents,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
        'messaging.batch.message_count': rows,
      },
    },
    work,
  );
