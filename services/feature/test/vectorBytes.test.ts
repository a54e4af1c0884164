/** Vectors written field by field are, byte for byte, those that the codec writes of an object. */
import { describe, expect, test } from '@jest/globals';
import { localCodec } from '@millrace/avro';
import { type FeaturesValue, inputHash } from '@millrace/contracts';
import { ageField, type Pipeline } from '@millrace/define';
import { NEVER_HEARD } from '@millrace/features';
import { pipelines, seededRandom } from '@millrace/pipelines';
import type { SharedBytes } from '@millrace/stream';
import { planOf } from '../src/plan.ts';
import type { Row } from '../src/row.ts';
import { VectorBytes } from '../src/vectorBytes.ts';

const ROWS = 200;
const dice = (seed: number): (() => number) => {
  const random = seededRandom(seed);
  return () => random.next();
};
const TEXTS = ['c-1', '', 'Zoë', '顧客', 'x'.repeat(200), '👤'];

const worldOf = (pipeline: Pipeline) => {
  const plan = planOf(pipeline);
  const { schema } = plan.values.get(plan.topics.features)!;
  const codec = localCodec<FeaturesValue>(schema, 70_000);
  const event = codec.rows.fieldsOf('event').filter(({ name }) => !plan.set.reference.includes(name));
  return { plan, codec, event, bytes: new VectorBytes(plan, codec) };
};

type World = ReturnType<typeof worldOf>;

/** A value of whatever the field's schema takes. */
const valueOf = (type: World['event'][number]['type'], random: () => number): unknown => {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  if (type.typeName === 'string') return pick(TEXTS);
  if (type.typeName === 'int') return pick([0, -1, 2 ** 31 - 1, 77]);
  if (type.typeName === 'long') return pick([0, -5, 2 ** 45, 1_700_000_000_000]);
  return type.random();
};

const rowOf = ({ plan, event }: World, random: () => number): Row => {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const { stages } = plan.set;
  const ages = stages.flatMap(({ views }) => views).length * 2;
  const number = (): number => pick([0, 1, Number.NaN, -3.25, 1e9, 0.1]);
  return {
    event: {
      stream: plan.pipeline.scores,
      eventId: pick(TEXTS),
      revision: pick([0, 3]),
      withdrawn: false,
      time: pick([-7, 0, 1_700_000_000_123]),
      knownAt: undefined,
      sequence: pick([0, 64, 2 ** 40]),
      partition: pick([0, 5]),
      offset: pick([0, 2 ** 33]),
      fields: Object.fromEntries(event.map(({ name, type }) => [name, valueOf(type, random)])),
    },
    value: { bytes: Uint8Array.from({ length: 33 }, () => Math.floor(random() * 256)), from: 2, to: 32 },
    sourceTopic: plan.topics.scored,
    appendTimeMs: 1_700_000_000_456,
    traceparent: pick([null, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`]),
    isSentAgain: random() < 0.5,
    late: random() < 0.5,
    features: stages.flatMap(({ features }) => features.map(number)),
    ages: random() < 0.3 ? [] : Array.from({ length: ages }, () => pick([NEVER_HEARD, 0, 86_400])),
    held: { batch: { settled: Promise.resolve(), done: () => 0, skip: () => 0, reject: () => 0 }, i: 0 },
  };
};

/** As an object, worked out plainly. */
const objectOf = ({ plan, event }: World, row: Row, entity: string): FeaturesValue => {
  const { set } = plan;
  let at = 0;
  const partials = set.stages.map(({ features }) => row.features.slice(at, (at += features.length)));
  const views = set.stages.flatMap(stage => stage.views);
  const isKnown = row.ages.length === 2 * views.length;
  const agesIn = (which: 0 | 1, unknown: number): Record<string, number> =>
    Object.fromEntries(
      views.map((view, i) => [ageField(view), isKnown ? row.ages[2 * i + which]! : unknown]),
    );
  const reference = set.referenceOf(partials).map(value => (Number.isNaN(value) ? null : value));
  return {
    eventId: row.event.eventId, revision: row.event.revision, sequence: row.event.sequence, entity,
    eventTime: row.event.time, appendTime: row.appendTimeMs, featureSet: set.version, featureSetHash: set.hash, late: row.late,
    sourceTopic: row.sourceTopic, sourcePartition: row.event.partition, sourceOffset: row.event.offset,
    inputHash: inputHash(row.value.bytes.subarray(row.value.from, row.value.to)), runId: 'live', traceparent: row.traceparent,
    ...(views.length > 0 && { viewAges: agesIn(0, 0), entityAges: agesIn(1, NEVER_HEARD) }),
    event: {
      ...Object.fromEntries(event.map(({ name }) => [name, row.event.fields[name]])),
      ...Object.fromEntries(set.reference.map((name, i) => [name, reference[i]])),
    },
    features: Object.fromEntries([...set.finish(row.event.fields, partials)].map((value, i) => [set.names[i]!, value])),
  }; // prettier-ignore
};

describe.each(pipelines.map(pipeline => [pipeline.name, pipeline] as const))(
  'vectors of %s',
  (_, pipeline) => {
    const world = worldOf(pipeline);

    test('are the bytes that the codec writes', () => {
      const random = dice(20_261_129);
      for (let i = 0; i < ROWS; i++) {
        const row = rowOf(world, random);
        const entity = TEXTS[i % TEXTS.length]!;
        const expected = world.codec.encode(objectOf(world, row, entity));
        const { bytes, keyAt, valueAt, end } = world.bytes.of(row, entity);
        world.bytes.settle();
        expect(Buffer.from(bytes.slice(valueAt, end))).toEqual(Buffer.from(expected));
        expect(Buffer.from(bytes.slice(keyAt, valueAt))).toEqual(Buffer.from(entity));
      }
    });

    test('stay as they are until they are acknowledged, and their memory is used again then', () => {
      // Nothing else lies in its memory.
      const world = worldOf(pipeline);
      const row = rowOf(world, dice(7));
      const first = world.bytes.of(row, 'c-1');
      world.bytes.settle();
      const before = Buffer.from(first.bytes.slice(first.keyAt, first.end));
      // One of them is not acknowledged: all of its memory stays.
      const others: SharedBytes[] = [];
      for (let last = first; last.bytes === first.bytes;) others.push((last = world.bytes.of(row, 'c-2')));
      others.pop(); // It lies in the next piece.
      for (const { lent } of others) lent!.acknowledged();
      const used = new Set<ArrayBufferLike>();
      const fill = (pieces: number): void => {
        for (let last = world.bytes.of(row, 'c-3'); pieces > 0;) {
          const one = world.bytes.of(row, 'c-3');
          used.add(one.bytes.buffer);
          if (one.bytes !== last.bytes) pieces--;
          last = one;
        }
      };
      fill(3);
      expect(used).not.toContain(first.bytes.buffer);
      expect(Buffer.from(first.bytes.slice(first.keyAt, first.end))).toEqual(before);
      first.lent!.acknowledged();
      fill(1);
      expect(used).toContain(first.bytes.buffer);
    });

    test('refuse a number that the schema has no room for, by its name', () => {
      const row = rowOf(world, dice(1));
      const large = { ...row, event: { ...row.event, revision: 2 ** 31 } };
      expect(() => world.bytes.of(large, 'e')).toThrow("field 'revision' is no number that fits an int");
      // Nothing of it is left in the next one.
      const { bytes, valueAt, end } = world.bytes.of(row, 'e');
      world.bytes.settle();
      expect(Buffer.from(bytes.slice(valueAt, end))).toEqual(
        Buffer.from(world.codec.encode(objectOf(world, row, 'e'))),
      );
    });
  },
);
