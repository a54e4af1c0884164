import { ValueWriter } from '@millrace/avro';
import { ByteReader } from './bytes.ts';
import { newerFormat } from './format.ts';
import type { Layout, Measure } from './layout.ts';
import { KNOWN_AT, LIVE, OFFSET, PARTITION, REVISION, SEQUENCE, TIME, UNTIL } from './columns.ts';
import { Leaf } from './leaf.ts';

/** First byte of every chunk. */
const FORMAT = 1;
const LIVE_BIT = 1;
const SUPERSEDED_BIT = 2;

// Encoding is synchronous and never nested: one is enough.
const out = new ValueWriter();

/** Up to here a number of rows is one byte. */
const LENGTH_IN_BYTE_MAX = 63;

/**
 * One leaf as one bounded record: times and sequences as differences, values in the shortest exact form.
 * @param before the chunk as it was last encoded, where the leaf says that it is the beginning of what it is now
 *   (`written`): only the rows behind it are encoded
 * @returns good until the next chunk is encoded
 */
export const encodeChunk = (leaf: Leaf, layout: Layout, before?: Uint8Array): Uint8Array => {
  out.begin();
  const isShort = leaf.length <= LENGTH_IN_BYTE_MAX;
  const rows = before === undefined || !isShort ? 0 : leaf.written;
  if (rows > 0) out.raw(before!);
  else leaf.lengthAt = writeHead(leaf, layout);
  writeRows(leaf, layout, rows);
  const bytes = out.view();
  // Of the rows before it had another number.
  if (rows > 0) bytes[leaf.lengthAt] = leaf.length * 2;
  leaf.written = isShort ? leaf.length : 0;
  return bytes;
};

/** @returns where the number of rows stands */
const writeHead = (leaf: Leaf, layout: Layout): number => {
  out.byte(FORMAT);
  out.uint32(layout.fingerprint);
  out.whole(leaf.level);
  out.whole(leaf.start);
  const lengthAt = out.length;
  out.whole(leaf.length);
  return lengthAt;
};

const writeRows = (leaf: Leaf, layout: Layout, from: number): void => {
  let time = from === 0 ? leaf.start : leaf.at(from - 1, TIME);
  let sequence = from === 0 ? 0 : leaf.at(from - 1, SEQUENCE);
  let offset = from === 0 ? 0 : leaf.at(from - 1, OFFSET);
  for (let row = from; row < leaf.length; row++) {
    const until = leaf.at(row, UNTIL);
    const superseded = until !== Number.POSITIVE_INFINITY;
    out.byte((leaf.at(row, LIVE) === 1 ? LIVE_BIT : 0) | (superseded ? SUPERSEDED_BIT : 0));
    out.whole(leaf.at(row, TIME) - time);
    out.whole(leaf.at(row, SEQUENCE) - sequence);
    out.whole(leaf.at(row, PARTITION));
    out.whole(leaf.at(row, OFFSET) - offset);
    out.whole(leaf.at(row, REVISION));
    out.text(leaf.ids[row]!);
    time = leaf.at(row, TIME);
    sequence = leaf.at(row, SEQUENCE);
    offset = leaf.at(row, OFFSET);
    if (layout.hasKnownAt) out.whole(leaf.at(row, KNOWN_AT) - time);
    if (superseded) out.whole(until - time);
    for (let m = 0; m < layout.measures.length; m++) writeMeasure(layout.measures[m]!, leaf, row, m);
  }
};

const writeMeasure = ({ kind }: Measure, leaf: Leaf, row: number, m: number): void => {
  const value = leaf.valueAt(row, m);
  if (kind === 'raw') {
    out.double(value);
    return;
  }
  out.byte(Number.isNaN(value) ? 0 : 1);
  if (Number.isNaN(value)) return;
  if (kind === 'text') out.text(leaf.texts[row]?.[m] ?? '');
  else if (kind !== 'one') out.whole(value);
};

/** @throws Error where the bytes are no chunk of this layout, or one of a newer release */
export const decodeChunk = (bytes: Uint8Array, layout: Layout): Leaf => {
  const input = new ByteReader(bytes);
  const format = input.byte();
  if (format !== FORMAT) throw newerFormat(`a chunk of stream '${layout.stream}'`, format, FORMAT);
  if (input.uint32() !== layout.fingerprint)
    throw new RangeError(`chunk of stream '${layout.stream}' was written for other views`);
  const level = input.whole();
  const leaf = new Leaf(input.whole(), level, layout.measures.length);
  let time = leaf.start;
  let sequence = 0;
  let offset = 0;
  for (let left = input.whole(); left > 0; left--) {
    const flags = input.byte();
    time += input.whole();
    sequence += input.whole();
    const partition = input.whole();
    offset += input.whole();
    const revision = input.whole();
    const id = input.text();
    const knownAt = layout.hasKnownAt ? time + input.whole() : Number.NEGATIVE_INFINITY;
    const until = (flags & SUPERSEDED_BIT) === 0 ? Number.POSITIVE_INFINITY : time + input.whole();
    const read = layout.measures.map(measure => readMeasure(input, measure));
    const numbers = read.map(r => (typeof r === 'string' ? 0 : r));
    const texts = layout.hasText ? read.map(r => (typeof r === 'string' ? r : undefined)) : [];
    const live = (flags & LIVE_BIT) !== 0;
    leaf.insert({ time, sequence, partition, offset, id, revision, knownAt, until, live, numbers, texts });
  }
  leaf.dirty = false;
  return leaf;
};

const readMeasure = (input: ByteReader, { kind }: Measure): number | string => {
  if (kind === 'raw') return input.double();
  if (input.byte() === 0) return Number.NaN;
  if (kind === 'text') return input.text();
  return kind === 'one' ? 1 : input.whole();
};
