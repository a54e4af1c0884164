import type avsc from 'avsc';
import { Bad } from './bad.ts';
import { FLOAT_BYTES, readDouble, readFloat } from './floats.ts';
import { FRAME_BYTES } from './frame.ts';
import type { Layout, Place } from './layout.ts';
import type { LoadedSchema } from './schema.ts';
import { newWalk } from './walk.ts';

/** A field of located values: where it lies, and what it holds. */
export interface Field {
  readonly place: Place;
  /** Where its bytes begin, in the value that `locate` gave back for these slots. */
  readonly start: (starts: Int32Array, base: number) => number;
  readonly end: (starts: Int32Array, base: number) => number;
  /** Its value, as `decode` gives it. */
  readonly read: (value: Uint8Array, starts: Int32Array, base: number) => unknown;
}

/**
 * Values of a record left in their bytes. A value is located: its bytes are checked, and where its fields lie is noted
 * in slots that the caller keeps. What somebody asks for is read from there, and what is only handed on is copied.
 */
export interface Rows {
  /** Slots that one value takes. */
  readonly slots: number;
  /** The first of these fields, where they are floats that lie side by side in this order: one copy takes them all. */
  readonly sideBySide: (paths: readonly string[]) => Field | undefined;
  /** @throws TypeError where the schema has no such field */
  readonly field: (path: string) => Field;
  /** Fields of the record within the value that the path leads to, in their order. @throws TypeError where it is none */
  readonly fieldsOf: (path: string) => readonly { readonly name: string; readonly type: avsc.Type }[];
  /**
   * Notes from `base` on where the fields of a framed value lie, and gives the bytes that the slots speak of: those given,
   * a view of them, or, where the value was written with another schema, what it is in ours. It may lie between others in
   * the same bytes: then it begins at `from` and ends before `to`.
   */
  readonly locate: (
    bytes: Uint8Array,
    starts: Int32Array,
    base: number,
    from?: number,
    to?: number,
  ) => Uint8Array | Bad;
}

const shared = newWalk();

/** Locates a value written with our own schema, which is all there is in its bytes, and says what is wrong with it. */
export const locating =
  (layout: Layout) =>
  (value: Uint8Array, starts: Int32Array, base: number): Uint8Array | Bad => {
    shared.bytes = value;
    shared.at = FRAME_BYTES;
    if (!layout.locate(shared, starts, base))
      return new Bad(shared.reason, shared.message, shared.path === '' ? undefined : shared.path);
    if (shared.at !== value.length)
      return new Bad('bad-value', `${value.length - shared.at} bytes are left over after the value`);
    return value;
  };

type Read = (value: Uint8Array, start: number, end: number) => unknown;

/** Whole numbers were checked when the value was located: they end within 10 bytes and are exact. */
const whole: Read = (value, start) => {
  let n = 0;
  let scale = 1;
  for (let at = start; ; at++, scale *= 0x80) {
    const byte = value[at]!;
    n += (byte & 0x7f) * scale;
    if (byte < 0x80) return n % 2 === 0 ? n / 2 : -(n + 1) / 2;
  }
};

const reads: Readonly<Record<string, Read>> = {
  float: readFloat,
  double: readDouble,
  boolean: (value, start) => value[start] === 1,
  int: whole,
  long: whole,
};

const readOf = (type: avsc.Type): Read =>
  reads[type.typeName] ??
  ((value, start, end) => type.fromBuffer(Buffer.from(value.buffer, value.byteOffset + start, end - start)));

const fieldOf = (place: Place): Field => {
  const { start, end, type } = place;
  const read = readOf(type);
  const startOf = (starts: Int32Array, base: number): number => starts[base + start.slot]! + start.bytes;
  const endOf = (starts: Int32Array, base: number): number => starts[base + end.slot]! + end.bytes;
  return {
    place,
    start: startOf,
    end: endOf,
    read: (value, starts, base) => read(value, startOf(starts, base), endOf(starts, base)),
  };
};

/** What of a schema decides how its values are encoded. */
const shapeOf = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(shapeOf);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { type, fields, items, values, symbols, size } = schema as Readonly<Record<string, unknown>>;
  if (Array.isArray(fields))
    return fields.map(field => {
      const { name, type: of } = field as { readonly name: string; readonly type: unknown };
      return [name, shapeOf(of)];
    });
  const parts = { items, values, symbols, size };
  return Object.values(parts).some(part => part !== undefined)
    ? [type, ...Object.values(parts).map(shapeOf)]
    : shapeOf(type);
};

/** Whether a value of the one field is, byte for byte, the same value of the other. */
export const encodeAlike = (a: Field, b: Field): boolean => {
  const shape = ({ place }: Field): string => JSON.stringify(shapeOf(place.type.schema()));
  return shape(a) === shape(b);
};

/** @param locate finds values of any writer; `layout` is of our own schema */
export const rowsOf = (own: LoadedSchema, layout: Layout, locate: Rows['locate']): Rows => {
  const placeOf = (path: string): Place => {
    const place = layout.places.get(path);
    if (place === undefined)
      throw new TypeError(`the schema ${own.type.name ?? ''} has no field '${path}' outside of unions and arrays`); // prettier-ignore
    return place;
  };
  return {
    slots: layout.slots,
    locate,
    field: path => fieldOf(placeOf(path)),
    fieldsOf: path => {
      const { fields } = placeOf(path).type as Partial<avsc.types.RecordType>;
      if (fields === undefined) throw new TypeError(`field '${path}' is no record`);
      return fields;
    },
    sideBySide: paths => {
      const places = paths.map(placeOf);
      const [first] = places;
      const follows = places.every(
        ({ start, type }, i) =>
          type.typeName === 'float' &&
          start.slot === first!.start.slot &&
          start.bytes === first!.start.bytes + FLOAT_BYTES * i,
      );
      return first !== undefined && follows ? fieldOf(first) : undefined;
    },
  };
};
