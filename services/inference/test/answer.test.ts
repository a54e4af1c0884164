import { expect, test } from '@jest/globals';
import { Bad } from '@millrace/avro';
import type { FeaturesValue } from '@millrace/contracts';
import { featureNames } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import fc from 'fast-check';
import { PredictionWriter } from '../src/answer.ts';
import { Room } from '../src/bytes.ts';
import { VectorReader, Vectors } from '../src/vectors.ts';
import { among } from './among.ts';
import { codecs, FEATURES, vectorOf } from './harness.ts';
import { predictionsOf } from './reference.ts';

const { features, predictions } = codecs();
const TOPIC = 'fraud.features.v1';
const reader = new VectorReader(fraud, new Map([[TOPIC, features]]));
const INPUT = reader.input(TOPIC);

const writer = new PredictionWriter(fraud, features, predictions, new Map());
const reference = predictionsOf(fraud);
/** Of all batches, as a lane has it. */
const room = new Room();
/** Some of them longer than there is room for at first. */
const KEYS = ['', 'customer', 'k'.repeat(70), 'k'.repeat(3_000)].map(key => Buffer.from(key));

const text = fc.string({ unit: 'grapheme', maxLength: 80 });
const whole = fc.maxSafeNat().map(n => Math.floor(n / 2));
const vector = fc
  .record({
    eventId: text,
    revision: fc.nat(),
    sequence: whole,
    entity: text,
    eventTime: whole,
    appendTime: whole,
    late: fc.boolean(),
    sourceTopic: text,
    sourcePartition: fc.nat(),
    sourceOffset: whole,
    inputHash: text,
    runId: text,
    traceparent: fc.option(text),
    event: fc.record({ customerId: text, terminalId: text, amount: fc.double() }),
    features: fc.tuple(...FEATURES.map(() => fc.float())).map(values => Object.fromEntries(FEATURES.map((name, i) => [name, values[i]!]))), // prettier-ignore
  })
  .map(changes => vectorOf(0, changes));
const score = fc.float({ min: 0, max: 1, noNaN: true });
const rows = fc.array(fc.tuple(vector, score, whole), { minLength: 1, maxLength: 5 });
const by = fc.record({ model: text, modelVersion: text, modelDigest: text, fallback: fc.option(text) });
const inForce = fc.record({
  controlRevision: whole,
  thresholds: fc.record({ block: score, review: score }),
  routes: fc.constant([]),
  routeVersion: fc.nat(),
  arm: text,
});
const engine = fc.constantFrom(null, 'cpu' as const, 'gpu' as const);
const routed = fc.record({
  route: text,
  routeVersion: fc.nat(),
  to: fc.constant('stream' as const),
  review: fc.boolean(),
});

const taken = (vectors: readonly FeaturesValue[]): Vectors => {
  const into = new Vectors(reader.rows.slots, vectors.length);
  for (const one of vectors) expect(reader.add(into, INPUT, among(features.encode(one)))).toBeUndefined();
  return into;
};

test('the bytes of a prediction are those of the prediction as a value', () => {
  fc.assert(
    fc.property(
      rows,
      by,
      engine,
      inForce,
      routed,
      whole,
      text,
      (of, answerer, on, force, chosen, scoredAt, batchId) => {
        const vectors = taken(of.map(([one]) => one));
        // Rows of one batch may have run on several.
        const engineOf = (row: number) => (row === 1 ? 'gpu' : on);
        const { route, routeVersion, review } = chosen;
        const others = [{ review: !review }, { route: `${route}~` }, { routeVersion: routeVersion ^ 1 }, {}];
        const routeOf = (row: number) => ({ ...chosen, ...others[row % others.length] });
        const write = writer.begin(
          { vectors, by: answerer, engineOf, inForce: force, scoredAt, batchId },
          room,
        );
        const written = of.map(([, output, offset], row) => ({
          ...write(row, among(KEYS[row % KEYS.length]!), [output], offset, routeOf(row), row % 2 === 1),
        }));
        for (const [row, [given, output, vectorOffset]] of of.entries()) {
          // As it was read: what is no float on the way in is one then.
          const read = features.decode(features.encode(given)) as FeaturesValue;
          const value = reference({ vector: read, vectorOffset, outputs: [output], by: answerer, engine: engineOf(row), inForce: force, routed: routeOf(row), stale: row % 2 === 1, scoredAt, batchId }); // prettier-ignore
          expect(written[row]!.decision).toBe(value.decision);
          const { bytes, keyAt, valueAt, end } = written[row]!;
          expect(Buffer.from(bytes.slice(keyAt, valueAt))).toEqual(KEYS[row % KEYS.length]);
          expect(Buffer.from(bytes.slice(valueAt, end))).toEqual(Buffer.from(predictions.encode(value)));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test.each([
  ['in the order of the vector, copied together', FEATURES],
  ['in another order', FEATURES.toReversed()],
  ['some of them', FEATURES.slice(3, 7)],
  ['with gaps', FEATURES.filter((_, i) => i % 2 === 0)],
])('a tensor has the features of each row, %s', (_, names) => {
  fc.assert(
    fc.property(rows, of => {
      const given = of.map(([one]) => one);
      const expected = given.flatMap(one => names.map(name => one.features[name]!));
      expect([...reader.tensor(taken(given), names)]).toEqual([...Float32Array.from(expected)]);
    }),
    { numRuns: 50 },
  );
});

test('vectors that are used again have nothing of the batch before, and as much room as is asked for', () => {
  fc.assert(
    fc.property(fc.array(rows, { minLength: 1, maxLength: 5 }), batches => {
      const vectors = new Vectors(reader.rows.slots, 1);
      for (const of of batches) {
        vectors.renew(of.length);
        for (const [one] of of)
          expect(reader.add(vectors, INPUT, among(features.encode(one)))).toBeUndefined();
        expect(vectors.length).toBe(of.length);
        for (const [row, [one]] of of.entries()) expect(reader.appendTime(vectors, row)).toBe(one.appendTime);
        vectors.clear();
        expect(vectors.memories).toEqual([]);
      }
    }),
    { numRuns: 50 },
  );
});

test('a vector of another feature set, or no vector, takes no row', () => {
  const vectors = new Vectors(reader.rows.slots, 1);
  const add = (bytes: Uint8Array) => reader.add(vectors, INPUT, among(bytes));
  const hash = 'f'.repeat(vectorOf(0).featureSetHash.length);
  expect(add(features.encode(vectorOf(0, { featureSet: 2 })))).toBe('other-features');
  expect(add(features.encode(vectorOf(0, { featureSetHash: hash })))).toBe('other-features');
  expect(add(features.encode(vectorOf(0, { featureSetHash: hash.slice(1) })))).toBe('other-features');
  // Wherever it differs.
  const own = vectorOf(0).featureSetHash;
  for (let i = 0; i < own.length; i++)
    expect(add(features.encode(vectorOf(0, { featureSetHash: `${own.slice(0, i)}~${own.slice(i + 1)}` })))).toBe('other-features'); // prettier-ignore
  expect(add(features.encode(vectorOf(0)).subarray(0, -1))).toBeInstanceOf(Bad);
  expect(vectors.length).toBe(0);
  expect(add(features.encode(vectorOf(5)))).toBeUndefined();
  expect(vectors.length).toBe(1);
  const entity = among(Buffer.from(''));
  reader.entity(vectors, 0, entity);
  expect(entity.bytes.subarray(entity.from, entity.to)).toEqual(Buffer.from(vectorOf(5).entity));
  expect(reader.appendTime(vectors, 0)).toBe(vectorOf(5).appendTime);
  expect(reader.traceparents(vectors)).toEqual([]);
});

test('a pipeline that its schemas do not fit is refused at the start', () => {
  const other = (changes: object) => () =>
    new PredictionWriter({ ...fraud, ...changes }, features, predictions, new Map());
  expect(other({ kpis: {} })).toThrow("field 'kpis' of the prediction has other names than the pipeline");
  expect(other({ model: { ...fraud.model, outputs: [...fraud.model.outputs, 'other'] } })).toThrow(
    "field 'outputs' of the prediction",
  );
  expect(featureNames(fraud.features)).toEqual(FEATURES);
});
