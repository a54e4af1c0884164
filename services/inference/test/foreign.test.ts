/** Vectors of a writer whose schema is another than ours. */
import { afterEach, expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import { catalogue, type FeaturesValue } from '@millrace/contracts';
import { murmur2Partition } from '@millrace/stream';
import { PIPELINE, TOPICS, utf8, vectorOf, World, writeModel } from './harness.ts';

interface FieldSchema {
  readonly name: string;
  readonly type: unknown;
}
const OURS = catalogue([PIPELINE]).find(({ name }) => name === TOPICS.features)!.value!.schema;

/** The fields in another order, one more, a feature that is a whole number yet, and no trace. */
const foreignSchema = (): string => {
  const schema = JSON.parse(OURS) as { readonly fields: readonly FieldSchema[] };
  const [first, ...others] = schema.fields.filter(({ name }) => name !== 'traceparent');
  const fields = [...others, { name: 'more', type: 'string' }, first!].map(field => {
    if (field.name !== 'features') return field;
    const of = field.type as { readonly fields: readonly FieldSchema[] };
    const [amount, ...rest] = of.fields;
    return { ...field, type: { ...of, fields: [{ ...amount, type: 'int' }, ...rest] } };
  });
  return JSON.stringify({ ...schema, fields });
};

/** What is another for each prediction, whoever wrote its vector. */
const OF_THE_RECORD = { predictionId: '', scoredAt: 0, batchId: '', revision: 0, vectorOffset: 0 };

let world: World;
afterEach(() => world.close());

test('are answered as those of our own writer are, each field of them', async () => {
  world = await World.open();
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1024 });
  await world.alias('1');
  const { registry } = world.ground;
  const writer = { subject: 'foreign-value', schema: foreignSchema() };
  await registry.register(writer.subject, writer.schema);
  const foreign = await openCodec<FeaturesValue & { more: string }>(registry, writer);
  const numbers = Array.from({ length: 60 }, (_, i) => 100 + i);
  // In turn: a batch holds rows of both.
  for (const n of numbers) {
    await world.vectors([vectorOf(n)]);
    const key = utf8(vectorOf(n).entity);
    const value = foreign.encode({ ...vectorOf(n, { revision: 1 }), more: 'nothing to us' });
    const partition = murmur2Partition(key, PIPELINE.partitions);
    await world.send([{ topic: TOPICS.features, partition, key, value }]);
  }
  await world.start().start(new AbortController().signal);
  const found = await world.scored(2 * numbers.length);
  expect(found).toHaveLength(2 * numbers.length);
  const said = (revision: number) =>
    found
      .filter(prediction => prediction.revision === revision)
      .toSorted((a, b) => a.sequence - b.sequence)
      .map(prediction => ({ ...prediction, ...OF_THE_RECORD }));
  expect(said(0).map(({ sequence, outputs }) => [sequence, outputs['score']])).toEqual(numbers.map(n => [n, n / 1024])); // prettier-ignore
  expect(said(1)).toEqual(said(0));
});
