import { memoryRegistry, openCodec } from '@millrace/avro';
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import { everySet, featureNames, ofSet, type Pipeline } from '@millrace/define';
import { compileSet, foldInOrder, readEvent } from '@millrace/features';
import { fraud, type SimulatedEvent } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import { openPublisher, type StreamValue } from '../../src/publish/publisher.ts';
import { prepare, type World } from '../../src/world/prepare.ts';

/** A simulated event as it is published. */
export const published = ({ stream, value }: SimulatedEvent): StreamValue => ({
  stream,
  value: { revision: 0, withdrawn: false, lineage: null, ...value },
});

/** Predictions with the vectors that one fold of the events gives, as they come. */
const predict = async (world: World, pipeline: Pipeline, version: number, events: readonly StreamValue[]): Promise<void> => {
  const set = compileSet(ofSet(pipeline, version));
  // The schema of predictions has the values of every version.
  const missing = everySet(pipeline).flatMap(({ features }) => featureNames(features)).map(name => [name, Number.NaN]);
  const folded = events.map(({ stream, value }, i) => readEvent(pipeline, stream, value, 0, i));
  const topic = topicsOf(pipeline).predictions;
  const codec = await openCodec<PredictionValue>(world.registry, catalogue([pipeline]).find(t => t.name === topic)!.value!);
  const producer = await world.broker.producer();
  for (const { event, values } of foldInOrder(set, folded)) {
    const value: PredictionValue = {
      predictionId: `${event.eventId} ${event.revision}`, eventId: event.eventId, revision: event.revision, sequence: event.sequence,
      entity: String(event.fields['customerId']), eventTime: event.time, appendTime: 0, scoredAt: 0, outputs: { score: 0.5 },
      decision: 'approve', kpis: { expectedLoss: 0 }, model: 'fraud', modelVersion: '1', modelDigest: 'd', featureSet: set.version,
      featureSetHash: set.hash, controlRevision: 1, route: 'stream', routeVersion: 1, review: false, engine: 'cpu',
      arm: 'champion', role: 'answer', fallback: null, late: false, stale: false, sourceTopic: 't', sourcePartition: 0, sourceOffset: 0,
      vectorOffset: 0, inputHash: 'i', batchId: 'b', runId: 'live', seq: 0, final: true, supersedes: null, traceparent: null,
      features: Object.fromEntries([...missing, ...set.names.map((name, i) => [name, values[i]!])]),
    };
    await producer.send([{ topic, partition: event.sequence % 6, key: null, value: codec.encode(value) }]);
  }
  await producer.close();
}; // prettier-ignore

/** Events on their topics, and their answers. @param versions of the feature set that have answered */
export const openWorld = async (
  events: readonly StreamValue[],
  pipeline: Pipeline = fraud,
  versions: readonly number[] = [pipeline.features.version],
): Promise<World> => {
  const clock = turnedClock(Date.UTC(2026, 5, 1));
  const world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
  await prepare(world, [pipeline], () => '1');
  const publisher = await openPublisher(world, pipeline);
  await publisher.publish(events);
  await publisher.close();
  for (const version of versions) await predict(world, pipeline, version, events);
  return world;
};
