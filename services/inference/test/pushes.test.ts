import { expect, test } from '@jest/globals';
import { Bad, localCodec, type RecordCodec } from '@millrace/avro';
import {
  catalogue,
  type FeaturesValue,
  PUSH_ENVELOPE,
  type PredictionValue,
  type PushValue,
  topicsOf,
} from '@millrace/contracts';
import { PUSH_TEXT_CHARACTERS_MAX } from '@millrace/define';
import fc from 'fast-check';
import { type Prediction, PredictionWriter } from '../src/answer.ts';
import { Room } from '../src/bytes.ts';
import { KPI_TEXT_CHARACTERS_MAX } from '../src/predictionBytes.ts';
import { PUSH_BYTES_MAX } from '../src/pushes.ts';
import { VectorReader, Vectors } from '../src/vectors.ts';
import { among } from './among.ts';
import { FEATURES, vectorOf } from './harness.ts';
import { EVEN, LARGE, LOSS, PUSHING } from './pushing.ts';

const TOPICS = topicsOf(PUSHING);
const catalogued = catalogue([PUSHING]);
const codecOf = <T>(topic: string, id: number): RecordCodec<T> =>
  localCodec<T>(catalogued.find(({ name }) => name === topic)!.value!.schema, id);
const features = codecOf<FeaturesValue>(TOPICS.features, 7);
const predictions = codecOf<PredictionValue>(TOPICS.predictions, 300);
const pushes = new Map(
  Object.entries(TOPICS.pushes).map(([name, topic], i) => [name, codecOf<PushValue>(topic, 40 + i)]),
);
const reader = new VectorReader(PUSHING, new Map([[TOPICS.features, features]]));
const INPUT = reader.input(TOPICS.features);
const writer = (run?: string): PredictionWriter =>
  new PredictionWriter(PUSHING, features, predictions, pushes, run);
const BY = { model: 'm', modelVersion: '2', modelDigest: 'd', fallback: null };
const IN_FORCE = {
  controlRevision: 9,
  thresholds: PUSHING.thresholds,
  routes: [],
  routeVersion: 4,
  arm: 'champion',
};
const KEY = among(Buffer.from('customer'));
const ROUTED = { route: 'large', routeVersion: 4, to: 'stream', review: true } as const;

const begun = (writing: PredictionWriter, vectors: Vectors) =>
  writing.begin(
    { vectors, by: BY, engineOf: () => 'cpu', inForce: IN_FORCE, scoredAt: 5, batchId: 'b' },
    new Room(),
  );

const answered = (
  rows: readonly (readonly [FeaturesValue, number])[],
  run?: string,
): readonly Prediction[] => {
  const vectors = new Vectors(reader.rows.slots, rows.length);
  for (const [vector] of rows)
    expect(reader.add(vectors, INPUT, among(features.encode(vector)))).toBeUndefined();
  const write = begun(writer(run), vectors);
  return rows.map(([, score], row) => ({ ...write(row, KEY, [score], row, ROUTED, false) }));
};
const decoded = <T>(codec: RecordCodec<T>, bytes: Uint8Array): T => {
  const value = codec.decode(bytes);
  if (value instanceof Bad) throw new Error(value.message);
  return value;
};
const valueOf = ({ bytes, valueAt, end }: Prediction): Uint8Array => bytes.subarray(valueAt, end);
const predictionOf = (one: Prediction): PredictionValue => decoded(predictions, valueOf(one));
const pushOf = (one: Prediction, name: string): PushValue | undefined => {
  const found = one.pushes.filter(push => push.name === name);
  expect(found.length).toBeLessThanOrEqual(1);
  return found[0] && decoded(pushes.get(name)!, found[0].bytes);
};

const amount = fc.oneof(fc.double(), fc.integer({ min: 0, max: 1_000 }), fc.constant(EVEN));
const text = fc.string({ unit: 'grapheme', maxLength: 80 });
const row = fc.tuple(
  fc.record({
    entity: text,
    eventId: text,
    terminalId: text,
    amount,
    late: fc.boolean(),
    traceparent: fc.option(text),
  }),
  fc.float({ min: 0, max: 1, noNaN: true }),
);

test('what is pushed is what the rules say of the prediction beside it, worked out plainly', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 5 }),
      fc.option(fc.constant('n1'), { nil: undefined }),
      (of, run) => {
        const rows = of.map(
          ([{ terminalId, amount: a, ...rest }, score]) =>
            [vectorOf(1, { ...rest, event: { customerId: 'c', terminalId, amount: a } }), score] as const,
        );
        for (const [i, one] of answered(rows, run).entries()) {
          const [{ terminalId, amount: a }, score] = of[i]!;
          const prediction = predictionOf(one);
          const lost = score * a;
          expect(prediction.kpis).toEqual({ expectedLoss: lost, size: a >= LARGE ? 'large' : 'small' });
          const envelope = Object.fromEntries(PUSH_ENVELOPE.map(name => [name, prediction[name]]));

          const isAlert = prediction.decision === 'block' || lost >= LOSS;
          const alert = pushOf(one, 'alerts');
          expect(alert).toEqual(
            isAlert
              ? {
                  ...envelope,
                  values: {
                    score,
                    size: a >= LARGE ? 'large' : 'small',
                    lost: Number.isFinite(lost) ? lost : null,
                  },
                  unknown: Number.isFinite(lost)
                    ? []
                    : [expect.stringMatching(/^lost: (missing|not finite)/)],
                }
              : undefined,
          );

          const partner = pushOf(one, 'partners');
          const ratio = a / (a - EVEN);
          expect(partner).toEqual(
            a >= LARGE
              ? {
                  ...envelope,
                  values: {
                    terminal: terminalId,
                    ratio: Number.isFinite(ratio) ? ratio : null,
                    isLive: run === undefined,
                  },
                  unknown: [
                    ...(Number.isFinite(ratio) ? [] : [expect.stringMatching(/^ratio: missing/)]),
                    ...(terminalId === '' ? [expect.stringMatching(/^key: /)] : []),
                  ],
                }
              : undefined,
          );
          const key = one.pushes.find(({ name }) => name === 'partners')?.key;
          expect(key && Buffer.from(key).toString()).toBe(
            a >= LARGE && terminalId !== '' ? terminalId : undefined,
          );
          expect(one.pushes.find(({ name }) => name === 'alerts')?.key).toBeUndefined();
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('text that is too long is missing with its reason, and the prediction is as it would be without', () => {
  const event = { customerId: 'c', terminalId: 't'.repeat(PUSH_TEXT_CHARACTERS_MAX + 1), amount: 500 };
  const [one] = answered([[vectorOf(1, { event }), 0.9]]);
  const { values, unknown } = pushOf(one!, 'partners')!;
  expect(values).toMatchObject({ terminal: null, ratio: 5 });
  expect(unknown).toEqual([
    `terminal: of 1025 characters, more than ${PUSH_TEXT_CHARACTERS_MAX}`,
    'key: missing, empty or too long',
  ]);
  expect(one!.pushes.map(({ name, unknown: count }) => [name, count])).toEqual([
    ['alerts', 0],
    ['partners', 2],
  ]);
  expect(predictionOf(one!).decision).toBe('block');
});

test('a record that would be too large goes without its values, never larger than its prediction could be', () => {
  const [one] = answered([
    [
      vectorOf(1, {
        eventId: 'e'.repeat(PUSH_BYTES_MAX - 1),
        event: { customerId: 'c', terminalId: 't', amount: 500 },
      }),
      0.9,
    ],
  ]);
  for (const name of ['alerts', 'partners']) {
    const { values, unknown, eventId } = pushOf(one!, name)!;
    expect(eventId).toHaveLength(PUSH_BYTES_MAX - 1);
    expect(new Set(Object.values(values))).toEqual(new Set([null]));
    expect(unknown).toEqual([
      expect.stringMatching(/^every value: the record would have \d+ bytes, more than 262144$/),
    ]);
  }
});

test('a business figure in words longer than one is to be is missing', () => {
  const worded = {
    ...PUSHING,
    kpis: { ...PUSHING.kpis, size: { op: 'field', name: 'terminalId' } as const },
    pushes: {},
  };
  const schema = catalogue([worded]).find(({ name }) => name === TOPICS.predictions)!.value!.schema;
  const codec = localCodec<PredictionValue>(schema, 3);
  const wording = new PredictionWriter(worded, features, codec, new Map());
  const sizeOf = (terminalId: string): unknown => {
    const vectors = new Vectors(reader.rows.slots, 1);
    reader.add(
      vectors,
      INPUT,
      among(features.encode(vectorOf(1, { event: { customerId: 'c', terminalId, amount: 1 } }))),
    );
    const answer = begun(wording, vectors)(0, KEY, [0.5], 0, ROUTED, false);
    return decoded(codec, valueOf(answer)).kpis['size'];
  };
  const longest = '€'.repeat(KPI_TEXT_CHARACTERS_MAX);
  expect([sizeOf(longest), sizeOf(`${longest}x`), sizeOf('')]).toEqual([longest, null, '']);
});

test('without pushes nothing is worked out, and nothing is made for a row', () => {
  const plain = new PredictionWriter({ ...PUSHING, pushes: {} }, features, predictions, new Map());
  const vectors = new Vectors(reader.rows.slots, 2);
  for (const n of [1, 2]) reader.add(vectors, INPUT, among(features.encode(vectorOf(n))));
  const write = plain.begin({ vectors, by: BY, engineOf: () => 'cpu', inForce: IN_FORCE, scoredAt: 5, batchId: 'b' }, new Room());
  const [first, second] = [0, 1].map(row => write(row, KEY, [1], row, ROUTED, false).pushes);
  expect(first).toEqual([]);
  expect(first).toBe(second);
  expect(FEATURES.length).toBeGreaterThan(0);
}); // prettier-ignore
