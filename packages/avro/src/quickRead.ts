import type { TypeView } from './schema.ts';
import { FieldTexts, type Sliced, TEXT_BYTES_IN_BYTE_MAX } from './texts.ts';
import type { Limits } from './limits.ts';
import { INT_BYTES_MAX, LONG_BYTES_MAX } from './quick.ts';
import { DOUBLE_BYTES, FLOAT_BYTES, readDouble, readFloat } from './floats.ts';

/**
 * Reads one part after the other. What is not as it nearly always is, or lies past the end, makes the value unusual:
 * whatever is read then means nothing.
 */
class Parts {
  bytes: Sliced = Buffer.alloc(0) as unknown as Sliced;
  at = 0;
  end = 0;
  isUsual = true;

  text(texts: FieldTexts): string {
    const { bytes, at } = this;
    const first = bytes[at]!;
    const start = at + 1;
    const end = start + (first >>> 1);
    // A length of one byte that is not below zero: all that is short.
    if ((first & 0x81) !== 0 || end > this.end) {
      this.isUsual = false;
      return '';
    }
    this.at = end;
    return texts.text(bytes, start, end);
  }

  int(): number {
    return this.#whole(INT_BYTES_MAX);
  }

  long(): number {
    return this.#whole(LONG_BYTES_MAX);
  }

  boolean(): boolean {
    const byte = this.bytes[this.at++]!;
    if (byte > 1) this.isUsual = false;
    return byte === 1;
  }

  float(): number {
    const { at } = this;
    this.at = at + FLOAT_BYTES;
    return readFloat(this.bytes, at);
  }

  double(): number {
    const { at } = this;
    this.at = at + DOUBLE_BYTES;
    return readDouble(this.bytes, at);
  }

  /** Of what may be null, and null is the first branch: whether it is. */
  isNull(): boolean {
    const byte = this.bytes[this.at++]!;
    if (byte !== 0 && byte !== 2) this.isUsual = false;
    return byte === 0;
  }

  #whole(bytesMax: number): number {
    const { bytes } = this;
    let { at } = this;
    const first = bytes[at++]!;
    let value = first & 0x7f;
    let byte = first;
    for (let scale = 0x80, left = bytesMax - 1; byte >= 0x80 && left > 0; scale *= 0x80, left--) {
      byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
    }
    this.at = at;
    if (!(byte < 0x80)) this.isUsual = false;
    return (first & 1) === 0 ? value / 2 : -(value + 1) / 2;
  }
}

const METHODS: Readonly<Record<string, string>> = {
  int: 'int',
  long: 'long',
  boolean: 'boolean',
  float: 'float',
  double: 'double',
};

/** What an expression speaks of by number. */
interface Spoken {
  readonly records: unknown[];
  readonly texts: FieldTexts[];
}

/** How a type is read, as an expression; undefined where it is none of these. */
const expressionOf = (type: TypeView, spoken: Spoken): string | undefined => {
  if (type.typeName === 'string') return `parts.text(texts[${spoken.texts.push(new FieldTexts()) - 1}])`;
  const method = METHODS[type.typeName];
  if (method !== undefined) return `parts.${method}()`;
  if (type.typeName === 'record') {
    const at = spoken.records.push(type.recordConstructor) - 1;
    const fields = type.fields!.map(field => expressionOf(field.type, spoken));
    return fields.includes(undefined) ? undefined : `new records[${at}](${fields.join(', ')})`;
  }
  const [nothing, other] = type.types ?? [];
  if (type.typeName !== 'union:unwrapped' || type.types!.length !== 2 || nothing!.typeName !== 'null')
    return undefined;
  const value = expressionOf(other!, spoken);
  return value === undefined ? undefined : `(parts.isNull() ? null : ${value})`;
};

/** Undefined is no verdict: the value is to be looked at in the checked way. */
export type QuickRead<T> = (bytes: Buffer, from: number, to: number) => T | undefined;

// Reading is synchronous and never nested: one is enough.
const parts = new Parts();

/**
 * Reads values whose parts are as they nearly always are (short texts, numbers of few bytes) in one pass, in one function
 * that is put together for the schema out of the kinds of its fields. What it gives is what the checked way would give.
 * Undefined where the schema has something else in it.
 */
export const quickReadOf = <T>(type: TypeView, { fieldBytesMax }: Limits): QuickRead<T> | undefined => {
  if (type.typeName !== 'record' || fieldBytesMax < TEXT_BYTES_IN_BYTE_MAX) return undefined;
  const spoken: Spoken = { records: [], texts: [] };
  const expression = expressionOf(type, spoken);
  if (expression === undefined) return undefined;
  // Nothing of the schema's own words is in it: kinds and numbers only.
  // oxlint-disable-next-line typescript/no-implied-eval
  const read = new Function('records', 'texts', 'parts', `return ${expression};`) as (
    records: readonly unknown[],
    texts: readonly FieldTexts[],
    parts: Parts,
  ) => T;
  const { records, texts } = spoken;
  return (bytes, from, to) => {
    parts.bytes = bytes as unknown as Sliced;
    parts.at = from;
    parts.end = to;
    parts.isUsual = true;
    const value = read(records, texts, parts);
    return parts.isUsual && parts.at === to ? value : undefined;
  };
};
