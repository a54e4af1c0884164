import type avsc from 'avsc';
import type { LoadedSchema } from './schema.ts';
import { FRAME_BYTES, writeFrame } from './frame.ts';

const SLAB_BYTES_FIRST = 1024;

/** What is wrong with a value, naming its field and what kind of value was found, never the value itself. */
const misfit = (type: avsc.Type, value: unknown, within: readonly string[] = []): TypeError | undefined => {
  let found: TypeError | undefined;
  type.isValid(value, {
    errorHook: (path, wrong, wanted) => {
      const kind = wrong === null ? 'null' : Array.isArray(wrong) ? 'array' : typeof wrong;
      const all = [...within, ...path];
      const name = all.length === 0 ? 'the value' : `field '${all.join('.')}'`;
      found ??= new TypeError(`${name} is ${kind} and does not fit ${wanted.typeName}`);
    },
  });
  return found;
};

/**
 * Encodes values with the frame of one schema id. One buffer is used again and grows to the largest value; what is
 * returned is a copy of its own.
 * @throws TypeError naming the field when a value does not fit
 */
export const writing = (schema: LoadedSchema, schemaId: number): ((value: unknown) => Uint8Array) => {
  let slab = Buffer.alloc(SLAB_BYTES_FIRST);
  writeFrame(slab, schemaId);

  const encode = (value: unknown): number => {
    try {
      return schema.type.encode(value, slab, FRAME_BYTES);
    } catch (error) {
      throw misfit(schema.type, value) ?? error;
    }
  };

  return value => {
    let end = encode(value);
    if (end < 0) {
      // Below zero: so many bytes were missing.
      slab = Buffer.alloc((slab.length - end) * 2);
      writeFrame(slab, schemaId);
      end = encode(value);
    }
    return Buffer.from(slab.subarray(0, end));
  };
};

/** Encodes single fields of a record. @throws TypeError naming the field when a value does not fit */
export const fieldWriting = ({ type }: LoadedSchema): ((name: string, value: unknown) => Uint8Array) => {
  const types = new Map(
    ((type as Partial<avsc.types.RecordType>).fields ?? []).map(field => [field.name, field.type]),
  );
  return (name, value) => {
    const of = types.get(name);
    if (of === undefined) throw new TypeError(`there is no field '${name}'`);
    try {
      return of.toBuffer(value);
    } catch (error) {
      throw misfit(of, value, [name]) ?? error;
    }
  };
};
