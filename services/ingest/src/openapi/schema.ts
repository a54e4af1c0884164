import type { AvroField, AvroRecord, AvroType } from '../coerce/schema.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const INT_MAX = 2 ** 31;

/** What the coercion of one type takes, as JSON Schema. */
export const jsonSchemaOf = (type: AvroType): JsonSchema => {
  if (type.kind === 'record') return recordSchema(type, () => true);
  if (type.kind === 'array') return { type: 'array', items: jsonSchemaOf(type.items) };
  if (type.kind === 'map') return { type: 'object', additionalProperties: jsonSchemaOf(type.values) };
  if (type.kind === 'union') return { anyOf: type.branches.map(jsonSchemaOf) };
  if (type.kind === 'enum') return { type: 'string', enum: type.symbols };
  return PLAIN[type.kind];
};

const WHOLE_TEXT = { type: 'string', pattern: String.raw`^[+-]?\d{1,16}$` };
const DECIMAL = {
  anyOf: [{ type: 'number' }, { type: 'string', description: 'The number as text.', examples: ['12.50'] }],
};

const PLAIN = {
  null: { type: 'null' },
  boolean: { type: 'boolean' },
  string: { type: 'string' },
  bytes: { type: 'string', contentEncoding: 'base64' },
  int: { anyOf: [{ type: 'integer', minimum: -INT_MAX, maximum: INT_MAX - 1 }, WHOLE_TEXT] },
  long: {
    anyOf: [
      { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
      WHOLE_TEXT,
    ],
  },
  float: DECIMAL,
  double: DECIMAL,
  timestamp: {
    anyOf: [
      { type: 'string', format: 'date-time', description: 'ISO 8601 with its zone.' },
      { type: 'integer', description: 'Milliseconds since the epoch.' },
    ],
  },
} as const satisfies Readonly<Record<string, JsonSchema>>;

/** @param shown fields that a client may send */
export const recordSchema = (record: AvroRecord, shown: (field: AvroField) => boolean): JsonSchema => {
  const fields = record.fields.filter(shown);
  const required = fields.filter(field => field.fallback === undefined).map(field => field.name);
  return {
    type: 'object',
    description: record.doc,
    properties: Object.fromEntries(
      fields.map(field => [
        field.name,
        {
          ...jsonSchemaOf(field.type),
          description: field.doc,
          ...(field.fallback === undefined ? {} : { default: field.fallback.value }),
        },
      ]),
    ),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
};
