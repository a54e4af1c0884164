import { Bad, DEFAULT_LIMITS } from '@millrace/avro';
import { decimalNumber, fitsInt, timestampMs, wholeNumber } from './number.ts';
import type { AvroField, AvroRecord, AvroType } from './schema.ts';

type Of<K extends AvroType['kind']> = Extract<AvroType, { kind: K }>;

/** What kind of value was found, in a few words; never the value itself. */
const kindOf = (json: unknown): string => {
  if (json === undefined) return 'nothing';
  if (json === null) return 'null';
  if (Array.isArray(json)) return 'an array';
  if (typeof json === 'string') return json === '' ? 'an empty text' : `a text of ${json.length} characters`;
  if (typeof json === 'number') return Number.isInteger(json) ? 'a whole number' : 'a number with decimals';
  return typeof json === 'object' ? 'an object' : `a ${typeof json}`;
};

const at = (path: string): string => (path === '' ? 'the event' : path);

const misfit = (path: string, json: unknown, wanted: string): Bad =>
  new Bad('bad-value', `${at(path)} is ${kindOf(json)}; send ${wanted}`, path === '' ? undefined : path);

const tooLarge = (path: string, found: string, most: string): Bad =>
  new Bad(
    'too-large',
    `${at(path)} has ${found}; at most ${most} are allowed`,
    path === '' ? undefined : path,
  );

/** Names with which objects are attacked; no schema of ours has them. */
export const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const text = (json: unknown, path: string): string | Bad => {
  if (typeof json !== 'string') return misfit(path, json, 'a text in quotes');
  // Half a character would become another one in UTF-8, and two different keys one.
  if (!json.isWellFormed())
    return new Bad('bad-value', `${at(path)} is not well-formed Unicode; send whole characters`, path);
  const bytes = Buffer.byteLength(json);
  const { fieldBytesMax } = DEFAULT_LIMITS;
  return bytes > fieldBytesMax ? tooLarge(path, `${bytes} bytes`, String(fieldBytesMax)) : json;
};

const bytes = (json: unknown, path: string): Uint8Array | Bad => {
  const found = text(json, path);
  if (found instanceof Bad) return found;
  return /^[A-Za-z0-9+/]*={0,2}$/.test(found) && found.length % 4 === 0
    ? Buffer.from(found, 'base64')
    : misfit(path, json, 'bytes in base64');
};

const whole = (kind: 'int' | 'long', json: unknown, path: string): number | Bad => {
  const found = wholeNumber(json);
  if (found === undefined) return misfit(path, json, 'a whole number that is exact in 53 bits');
  return kind === 'long' || fitsInt(found) ? found : misfit(path, json, 'a whole number that fits 32 bits');
};

const decimal = (json: unknown, path: string): number | Bad =>
  decimalNumber(json) ?? misfit(path, json, 'a finite number, or a text of one with a decimal point');

const array = ({ items }: Of<'array'>, json: unknown, path: string): unknown[] | Bad => {
  if (!Array.isArray(json)) return misfit(path, json, 'an array');
  const { itemCountMax } = DEFAULT_LIMITS;
  if (json.length > itemCountMax) return tooLarge(path, `${json.length} items`, String(itemCountMax));
  const values: unknown[] = [];
  for (const [i, item] of json.entries()) {
    const value = toValue(items, item, `${path}[${i}]`);
    if (value instanceof Bad) return value;
    values.push(value);
  }
  return values;
};

const map = ({ values }: Of<'map'>, json: unknown, path: string): object | Bad => {
  if (!isObject(json)) return misfit(path, json, 'an object');
  const names = Object.keys(json);
  const { itemCountMax } = DEFAULT_LIMITS;
  if (names.length > itemCountMax) return tooLarge(path, `${names.length} entries`, String(itemCountMax));
  const found: Record<string, unknown> = {};
  for (const name of names) {
    if (FORBIDDEN_NAMES.has(name)) return unknownField(path, name, []);
    const value = toValue(values, json[name], join(path, name));
    if (value instanceof Bad) return value;
    found[name] = value;
  }
  return found;
};

/** Long names are cut, so that an answer cannot be made large from outside. */
const NAME_CHARS_MAX = 64;

const unknownField = (path: string, name: string, known: readonly AvroField[]): Bad => {
  const field = join(path, name.slice(0, NAME_CHARS_MAX).toWellFormed());
  if (FORBIDDEN_NAMES.has(name))
    return new Bad('bad-value', `${field} is a name that is never accepted; leave it out`, field);
  const names = known.map(one => one.name).join(', ');
  return new Bad(
    'bad-value',
    `${field} is no field of the schema; leave it out, or use one of ${names}`,
    field,
  );
};

const record = (type: AvroRecord, json: unknown, path: string): object | Bad => {
  if (!isObject(json)) return misfit(path, json, `an object (${type.name})`);
  for (const name of Object.keys(json))
    if (!type.fields.some(field => field.name === name)) return unknownField(path, name, type.fields);
  const found: Record<string, unknown> = {};
  for (const field of type.fields) {
    const inner = join(path, field.name);
    const given = Object.hasOwn(json, field.name);
    if (!given && field.fallback === undefined)
      return new Bad(
        'bad-value',
        `${inner} is missing; ${field.doc === '' ? 'it is required' : `it is required: ${field.doc}`}`,
        inner,
      );
    const value = given ? toValue(field.type, json[field.name], inner) : field.fallback!.value;
    if (value instanceof Bad) return value;
    found[field.name] = value;
  }
  return found;
};

const union = ({ branches }: Of<'union'>, json: unknown, path: string): unknown => {
  const rest = branches.filter(branch => branch.kind !== 'null');
  if (json === null && rest.length < branches.length) return null;
  let first: unknown;
  for (const branch of rest) {
    const value = toValue(branch, json, path);
    if (!(value instanceof Bad)) return value;
    first ??= value;
  }
  return first ?? misfit(path, json, 'null');
};

/** One converter for each kind of type. */
const CONVERT: { readonly [K in AvroType['kind']]: (type: Of<K>, json: unknown, path: string) => unknown } = {
  null: (_, json, path) => (json === null ? null : misfit(path, json, 'null')),
  boolean: (_, json, path) =>
    typeof json === 'boolean' ? json : misfit(path, json, 'true or false without quotes'),
  string: (_, json, path) => text(json, path),
  bytes: (_, json, path) => bytes(json, path),
  int: (_, json, path) => whole('int', json, path),
  long: (_, json, path) => whole('long', json, path),
  float: (_, json, path) => decimal(json, path),
  double: (_, json, path) => decimal(json, path),
  timestamp: (_, json, path) =>
    timestampMs(json) ??
    misfit(path, json, 'an ISO 8601 time with its zone (2026-01-31T08:30:00Z), or epoch milliseconds'),
  enum: ({ symbols }, json, path) =>
    symbols.find(symbol => symbol === json) ?? misfit(path, json, `one of ${symbols.join(', ')}`),
  array,
  map,
  record,
  union,
};

/**
 * The value that the schema asks for, or what is wrong with the JSON: the field, the kind of value found, the remedy.
 * Strict: a field that the schema lacks is refused. Lenient only where no meaning is lost: numbers may be texts,
 * times ISO 8601 or epoch milliseconds.
 * @param path where we are, for messages: `lineage.source`
 */
export const toValue = (type: AvroType, json: unknown, path = ''): unknown =>
  (CONVERT[type.kind] as (type: AvroType, json: unknown, path: string) => unknown)(type, json, path);
