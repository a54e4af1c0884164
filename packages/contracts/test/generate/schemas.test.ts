import { describe, expect, test } from '@jest/globals';
import { featureNames } from '@millrace/define';
import { localCodec } from '@millrace/avro';
import { type FeaturesValue, type FraudFeatures, type FraudPrediction, type PredictionValue, schemasOf } from '../../src/index.ts'; // prettier-ignore
import { type AvscRecord, parseRecord } from '../../src/generate/avsc.ts';
import { schemas, shop } from '../pipeline.ts';

const texts = schemasOf(shop(), schemas);
const field = (record: AvscRecord, name: string): AvscRecord =>
  record.fields.find(one => one.name === name)!.type as AvscRecord;
const names = (record: AvscRecord): readonly string[] => record.fields.map(({ name }) => name);

describe('generated schemas', () => {
  const features = parseRecord(texts.features, 'features');
  const prediction = parseRecord(texts.prediction, 'prediction');

  test('carry the vector in the order of the set, as float32', () => {
    for (const record of [features, prediction]) {
      const vector = field(record, 'features');
      expect(names(vector)).toEqual(featureNames(shop().features));
      expect(vector.fields.map(({ type }) => type)).toEqual(['float', 'float']);
    }
  });

  test("carry the event's own fields, without what belongs to its envelope", () => {
    expect(names(field(features, 'event'))).toEqual(['shopId', 'itemId', 'total']);
  });

  test("carry the model's outputs, and an empty record where there are no business figures", () => {
    expect(names(field(prediction, 'outputs'))).toEqual(['a', 'b']);
    expect(names(field(prediction, 'kpis'))).toEqual([]);
  });

  test('have a namespace of the pipeline that Avro accepts', () => {
    expect(features.namespace).toBe('millrace.shop_orders');
  });

  test('keep the vector contiguous on the wire', () => {
    const value = {
      ...Object.fromEntries(features.fields.map(({ name, type }) => [name, type === 'string' ? '' : 0])),
      late: false,
      traceparent: null,
      viewAges: { by_shop: 7 },
      entityAges: { by_shop: -1 },
      event: { shopId: 's', itemId: 'i', total: 1 },
      features: { total: 1.5, orders1d: Number.NaN },
    } as unknown as FeaturesValue;
    const codec = localCodec<FeaturesValue>(texts.features);
    const bytes = codec.encode(value);
    expect([...new Float32Array(Uint8Array.from(bytes.subarray(-8)).buffer)]).toEqual([1.5, Number.NaN]);
    expect(codec.decode(bytes)).toEqual(value);
    const { viewAges: _, entityAges: __, ...unaged } = value;
    expect(codec.decode(codec.encode(unaged))).toMatchObject({
      viewAges: { by_shop: 0 },
      entityAges: { by_shop: -1 },
    });
  });
});

test('the types of a pipeline are those that serve every pipeline', () => {
  // Checked by the compiler: both directions of use, reading a value as generic and naming every field of it.
  const features = (value: FraudFeatures): FeaturesValue => value;
  const prediction = (value: FraudPrediction): PredictionValue => value;
  const all: Exclude<keyof FraudFeatures, keyof FeaturesValue>[] = [];
  const every: Exclude<keyof FraudPrediction, keyof PredictionValue>[] = [];
  expect([features.length, prediction.length, all, every]).toEqual([1, 1, [], []]);
});
