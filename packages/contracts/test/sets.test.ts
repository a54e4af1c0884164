/** A pipeline with several versions of its feature set. */
import { expect, test } from '@jest/globals';
import { Bad, memoryRegistry, openCodec } from '@millrace/avro';
import { count, everySet, featureSet, featureView, field, ofSet } from '@millrace/define';
import {
  applySchemas, catalogue, compactSchema, type PredictionValue, repositorySchemas, schemaPlan, schemasOf, scoredValues, type SchemaSource,
} from '../src/index.ts'; // prettier-ignore
import { schemas as shopSchemas, shop } from './pipeline.ts';

const schemas: SchemaSource = path => shopSchemas(path) ?? repositorySchemas(path);
const byWeek = featureView({
  name: 'by-week',
  version: 1,
  key: 'shopId',
  features: { orders7d: count({ of: 'orders', window: '7d' }) },
});
/** The third version has a value more, and has not one of the second. */
const pipeline = shop({
  beside: [featureSet({ version: 3, inputs: { total: field('total') }, views: [byWeek] })],
});
const topics = catalogue([pipeline], schemas);
const named = (name: string) => topics.find(topic => topic.name === name);

const predictionOf = (featureSetVersion: number, features: Record<string, number>): PredictionValue => ({
  predictionId: 'p', eventId: 'e', revision: 0, sequence: 1, entity: 's', eventTime: 1, appendTime: 2, scoredAt: 3, outputs: { a: 0.5, b: 0.25 },
  decision: 'yes', kpis: {}, model: 'm', modelVersion: '1', modelDigest: '', featureSet: featureSetVersion, featureSetHash: '', controlRevision: 1,
  route: '', routeVersion: 1, review: false, engine: 'cpu', arm: '', role: 'answer', fallback: null, late: false, stale: false, sourceTopic: 't', sourcePartition: 0, sourceOffset: 0,
  vectorOffset: 0, inputHash: '', batchId: '', runId: 'live', seq: 0, final: true, supersedes: null, traceparent: null, features,
}); // prettier-ignore

test('each version has topics of its own; those of events and predictions are common, each once', () => {
  const own = everySet(pipeline).map(set => catalogue([set], schemas).map(({ name }) => name));
  const all = topics.map(({ name }) => name);
  expect(new Set(all)).toEqual(new Set([...own.flat(), 'shop-orders.inference.cuts']));
  expect(all.length).toBe(new Set(all).size);
  expect([named('shop-orders.features.v2')?.kind, named('shop-orders.features.v3')?.kind]).toEqual(['features', 'features']); // prettier-ignore
  expect(named('shop-orders.inference.cuts')).toMatchObject({ writers: ['inference'], partitions: 4 });
  // With one version there is nothing to cut.
  expect(own.flat()).not.toContain('shop-orders.inference.cuts');
});

test('predictions of every version are registered under one subject, and read with one schema', async () => {
  const registry = memoryRegistry();
  const before = catalogue([ofSet(pipeline, 2)], schemas);
  await applySchemas(registry, await schemaPlan(registry, before));
  const plan = await schemaPlan(registry, topics);
  expect(plan.filter(({ action }) => action === 'refuse')).toEqual([]);
  await applySchemas(registry, plan);
  expect((await schemaPlan(registry, topics)).every(({ action }) => action === 'none')).toBe(true);
  const { subject, schema } = named('shop-orders.predictions.v1')!.value!;
  const reading = await openCodec<PredictionValue>(registry, { subject, schema });
  const valuesOf = scoredValues(pipeline);
  for (const [version, features] of [[2, { total: 10, orders1d: 1 }], [3, { total: 10, orders7d: 7 }]] as const) {
    const written = compactSchema(schemasOf(ofSet(pipeline, version), schemas).prediction);
    const writing = await openCodec<PredictionValue>(registry, { subject, schema: written });
    const bytes = writing.encode(predictionOf(version, features));
    await reading.prepare([bytes]);
    const value = reading.decode(bytes);
    if (value instanceof Bad) throw new Error(value.message);
    expect(valuesOf(value)).toEqual(features);
  }
}); // prettier-ignore

test('of a version that the definition has no more, what can be read is left as it is', () => {
  const features = { total: 1, orders1d: 2, orders7d: 0 };
  expect(scoredValues(pipeline)(predictionOf(1, features))).toEqual(features);
});
