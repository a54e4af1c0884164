import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  Bad,
  frame,
  IncompatibleSchema,
  openCodec,
  type Registry,
  SchemaNotRegistered,
} from '../../src/index.ts';

const field = (name: string, type: unknown = 'string', more: object = {}): object => ({
  name,
  type,
  ...more,
});
const withDefault = (name: string): object => field(name, 'string', { default: '' });

/**
 * What every registry must do, whatever stands behind it. Subjects and record names are new in each test, so that it
 * can run on a registry that others use; the rule for all subjects is set to BACKWARD, as every deployment sets it.
 * @param open a registry; @param unique text that no earlier run has used: letters and digits
 */
export const registryContract = (name: string, open: () => Promise<Registry>, unique: string): void => {
  let registry: Registry;
  let tests = 0;
  let subject = '';
  let record: (...fields: object[]) => string;

  beforeAll(async () => {
    registry = await open();
    await registry.setCompatibility('BACKWARD');
  });

  const fresh = (): void => {
    const n = `${unique}${tests++}`;
    subject = `contract.${n}-value`;
    record = (...fields) =>
      JSON.stringify({ type: 'record', name: `R${n}`, namespace: 'millrace.contract', fields });
  };

  describe(`${name}: subjects and ids`, () => {
    test('a schema that was registered is found by id, by text and as the latest', async () => {
      fresh();
      const schema = record(field('a'));
      const id = await registry.register(subject, schema);
      expect(id).toBeGreaterThan(0);
      expect(JSON.parse((await registry.schemaById(id))!)).toEqual(JSON.parse(schema));
      expect(await registry.idOf(subject, schema)).toBe(id);
      const latest = (await registry.latest(subject))!;
      expect({ ...latest, schema: JSON.parse(latest.schema) as unknown }).toEqual({
        id,
        version: 1,
        schema: JSON.parse(schema),
      });
    });

    test('the same text again is the same id and no new version, whatever its layout', async () => {
      fresh();
      const schema = record(field('a'));
      const id = await registry.register(subject, schema);
      expect(await registry.register(subject, schema)).toBe(id);
      const laidOut = JSON.stringify(JSON.parse(schema), undefined, 4);
      expect(await registry.register(subject, laidOut)).toBe(id);
      expect(await registry.idOf(subject, laidOut)).toBe(id);
      expect((await registry.latest(subject))!.version).toBe(1);
    });

    test('the same text under two subjects is one id', async () => {
      fresh();
      const id = await registry.register(subject, record(field('a')));
      expect(await registry.register(`other.${subject}`, record(field('a')))).toBe(id);
    });

    test('what is not there is undefined, not an error', async () => {
      fresh();
      expect(await registry.latest(subject)).toBeUndefined();
      expect(await registry.idOf(subject, record(field('a')))).toBeUndefined();
      await registry.register(subject, record(field('a')));
      expect(await registry.idOf(subject, record(field('a'), withDefault('b')))).toBeUndefined();
      expect(await registry.idOf(`other.${subject}`, record(field('a')))).toBeUndefined();
      expect(await registry.schemaById(2_000_000_001)).toBeUndefined();
    });
  });

  describe(`${name}: compatibility`, () => {
    test('a new version that reads the latest is taken', async () => {
      fresh();
      const id = await registry.register(subject, record(field('a')));
      const v2 = record(field('a'), withDefault('b'));
      expect(await registry.whyIncompatible(subject, v2)).toBeUndefined();
      expect((await registry.latest(subject))!.version).toBe(1);
      const id2 = await registry.register(subject, v2);
      expect(id2).not.toBe(id);
      expect(await registry.latest(subject)).toMatchObject({ id: id2, version: 2 });
      expect(await registry.idOf(subject, record(field('a')))).toBe(id);
    });

    test.each([
      ['a field without default', () => record(field('a'), field('b'))],
      ['another type', () => record(field('a', 'int'))],
    ])('%s is refused with a reason, and changes nothing', async (_, incompatible) => {
      fresh();
      const id = await registry.register(subject, record(field('a')));
      const reason = await registry.whyIncompatible(subject, incompatible());
      expect(reason).toMatch(/\w{3}/);
      expect(reason).not.toContain('gives no reason');
      const refusal = await registry.register(subject, incompatible()).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(IncompatibleSchema);
      expect((refusal as IncompatibleSchema).reason).toMatch(/\w{3}/);
      expect((refusal as IncompatibleSchema).reason).not.toContain('gives no reason');
      expect((refusal as IncompatibleSchema).message).toContain(subject);
      expect(await registry.latest(subject)).toMatchObject({ id, version: 1 });
    });

    test('a subject that is new refuses nothing', async () => {
      fresh();
      expect(await registry.whyIncompatible(subject, record(field('a')))).toBeUndefined();
    });

    test('BACKWARD looks at the latest version, BACKWARD_TRANSITIVE at all', async () => {
      fresh();
      await registry.register(subject, record(field('a')));
      await registry.register(subject, record(withDefault('a'), withDefault('b')));
      // Reads the second version but not the first, which has no b.
      const third = record(withDefault('a'), field('b'));
      await registry.setCompatibility('BACKWARD_TRANSITIVE', subject);
      expect(await registry.whyIncompatible(subject, third)).toMatch(/\w/);
      await expect(registry.register(subject, third)).rejects.toThrow(IncompatibleSchema);
      await registry.setCompatibility('BACKWARD', subject);
      expect(await registry.whyIncompatible(subject, third)).toBeUndefined();
      await registry.register(subject, third);
      expect((await registry.latest(subject))!.version).toBe(3);
    });
  });

  describe(`${name}: codecs`, () => {
    test('a codec does not register: it names the remedy', async () => {
      fresh();
      const opening = openCodec(registry, { subject, schema: record(field('a')) });
      await expect(opening).rejects.toThrow(SchemaNotRegistered);
      await expect(opening).rejects.toThrow('millrace schemas register');
      expect(await registry.latest(subject)).toBeUndefined();
    });

    test('readers and writers of different versions understand each other', async () => {
      fresh();
      const [v1, v2] = [record(field('a')), record(field('a'), withDefault('b'))];
      await registry.register(subject, v1);
      await registry.register(subject, v2);
      const older = await openCodec<{ a: string }>(registry, { subject, schema: v1 });
      const newer = await openCodec<{ a: string; b: string }>(registry, { subject, schema: v2 });
      const [one, two] = [older.encode({ a: 'x' }), newer.encode({ a: 'y', b: 'z' })];
      expect(newer.decode(one)).toMatchObject({ reason: 'unknown-schema' });
      await newer.prepare([null, one, two, Uint8Array.of(9)]);
      expect(newer.decode(one)).toEqual({ a: 'x', b: '' });
      expect(newer.decode(two)).toEqual({ a: 'y', b: 'z' });
      await older.prepare([two]);
      expect(older.decode(two)).toEqual({ a: 'y' });
    });

    test('a writer that cannot be read and an id that is unknown are Bad', async () => {
      fresh();
      const ours = record(field('a'));
      await registry.register(subject, ours);
      const theirs = await registry.register(`other.${subject}`, record(field('a', 'double')));
      const codec = await openCodec(registry, { subject, schema: ours });
      const [mismatch, unknown] = [frame(theirs, new Uint8Array(8)), frame(2_000_000_002, new Uint8Array(8))];
      await codec.prepare([mismatch, unknown]);
      expect(codec.decode(mismatch)).toBeInstanceOf(Bad);
      expect(codec.decode(mismatch)).toMatchObject({ reason: 'schema-mismatch' });
      expect(codec.decode(unknown)).toMatchObject({ reason: 'unknown-schema' });
    });
  });
};
