interface Plain<K extends string> {
  readonly kind: K;
}

/** An Avro schema as parsed JSON: what we walk to turn JSON into values. Only what our event schemas use. */
export type AvroType =
  | Plain<'null'>
  | Plain<'boolean'>
  | Plain<'string'>
  | Plain<'bytes'>
  | Plain<'float'>
  | Plain<'double'>
  | Plain<'int'>
  | Plain<'long'>
  | Plain<'timestamp'> // long, milliseconds since the epoch
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: AvroType }
  | { readonly kind: 'map'; readonly values: AvroType }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  | AvroRecord;

export interface AvroField {
  readonly name: string;
  readonly doc: string;
  readonly type: AvroType;
  /** Present where the field may be left out. */
  readonly fallback?: { readonly value: unknown };
}

export interface AvroRecord {
  readonly kind: 'record';
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly AvroField[];
}

type Json = Readonly<Record<string, unknown>>;
const PRIMITIVES = ['null', 'boolean', 'string', 'bytes', 'float', 'double', 'int', 'long'] as const;

const named = (schema: unknown, names: Map<string, AvroType>): AvroType => {
  const primitive = PRIMITIVES.find(name => name === schema);
  if (primitive !== undefined) return { kind: primitive } as AvroType;
  const known = names.get(String(schema).split('.').at(-1)!);
  if (known === undefined)
    throw new Error(`the schema uses ${String(schema)}, which JSON events cannot carry`);
  return known;
};

const field = (schema: Json, names: Map<string, AvroType>): AvroField => ({
  name: schema['name'] as string,
  doc: (schema['doc'] as string | undefined) ?? '',
  type: typeOf(schema['type'], names),
  ...('default' in schema ? { fallback: { value: schema['default'] } } : {}),
});

const typeOf = (schema: unknown, names: Map<string, AvroType>): AvroType => {
  if (typeof schema === 'string') return named(schema, names);
  if (Array.isArray(schema)) return { kind: 'union', branches: schema.map(one => typeOf(one, names)) };
  const object = schema as Json;
  const { type } = object as { type: unknown };
  if (type === 'array') return { kind: 'array', items: typeOf(object['items'], names) };
  if (type === 'map') return { kind: 'map', values: typeOf(object['values'], names) };
  if (type === 'enum') {
    const symbols: AvroType = { kind: 'enum', symbols: object['symbols'] as string[] };
    names.set(object['name'] as string, symbols);
    return symbols;
  }
  if (type === 'record') {
    const record: AvroRecord = {
      kind: 'record',
      name: object['name'] as string,
      doc: (object['doc'] as string | undefined) ?? '',
      fields: (object['fields'] as Json[]).map(one => field(one, names)),
    };
    names.set(record.name, record);
    return record;
  }
  if (type === 'long' && object['logicalType'] === 'timestamp-millis') return { kind: 'timestamp' };
  return typeOf(type, names);
};

/** @throws Error when the schema is no record, or uses what JSON events cannot carry */
export const readSchema = (text: string): AvroRecord => {
  const found = typeOf(JSON.parse(text), new Map());
  if (found.kind !== 'record') throw new Error('the schema of an event must be a record');
  return found;
};
