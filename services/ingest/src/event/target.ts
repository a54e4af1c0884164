import { type Codec, openCodec, type Registry } from '@millrace/avro';
import { catalogue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type AvroRecord, readSchema } from '../coerce/schema.ts';

/** A stream of events to which may be posted. */
export interface Stream {
  readonly pipeline: string;
  readonly stream: string;
  readonly topic: string;
  readonly subject: string;
  readonly schemaText: string;
  readonly schema: AvroRecord;
  readonly partitions: number;
  /** Field whose value keys the topic. */
  readonly keyField: string;
  /** Field with the event time. */
  readonly timeField: string;
  /** Labels carry the id of the event that they label, so that one can never be made up for them. */
  readonly labels: string | undefined;
}

export interface Target extends Stream {
  readonly codec: Codec<object>;
}

/** Every stream of the pipelines, from the catalogue. */
export const streamsOf = (pipelines: readonly Pipeline[]): readonly Stream[] => {
  const topics = new Map(catalogue(pipelines).map(topic => [topic.name, topic]));
  return pipelines.flatMap(pipeline =>
    Object.entries(topicsOf(pipeline).events).map(([stream, name]) => {
      const { value, partitions } = topics.get(name)!;
      const events = pipeline.events[stream]!;
      return {
        pipeline: pipeline.name,
        stream,
        topic: name,
        subject: value!.subject,
        schemaText: value!.schema,
        schema: readSchema(value!.schema),
        partitions,
        keyField: events.keys[0] ?? pipeline.entity,
        timeField: events.time,
        labels: events.of,
      };
    }),
  );
};

/** Looks our schemas up; never registers. @throws SchemaNotRegistered. @throws RegistryUnavailable */
export const openTargets = (streams: readonly Stream[], registry: Registry): Promise<readonly Target[]> =>
  Promise.all(
    streams.map(async stream => ({
      ...stream,
      codec: await openCodec<object>(registry, { subject: stream.subject, schema: stream.schemaText }),
    })),
  );
