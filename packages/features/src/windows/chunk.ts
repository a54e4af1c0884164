import { ByteReader, ByteWriter } from './bytes.ts';
import type { Layout, Measure } from './layout.ts';
import { Leaf, type NewRow } from './leaf.ts';

/** First byte of every chunk. */
const FORMAT = 1;
const LIVE_BIT = 1;
const SUPERSEDED_BIT = 2;

/** One leaf as one bounded record: times and sequences as differences, values in the shortest exact form. */
export const encodeChunk = (leaf: Leaf, layout: Layout): Uint8Array => {
  const out = new ByteWriter();
  out.byte(FORMAT);
  out.uint32(layout.fingerprint);
  out.whole(leaf.level);
  out.whole(leaf.start);
  out.whole(leaf.length);
  let time = leaf.start;
  let sequence = 0;
  let offset = 0;
  for (let i = 0; i < leaf.length; i++) {
    const row = leaf.rowAt(i);
    out.byte((row.live ? LIVE_BIT : 0) | (row.until === Number.POSITIVE_INFINITY ? 0 : SUPERSEDED_BIT));
    out.whole(row.time - time);
    out.whole(row.sequence - sequence);
    out.whole(row.partition);
    out.whole(row.offset - offset);
    out.whole(row.revision);
    out.text(row.id);
    if (layout.hasKnownAt) out.whole(row.knownAt - row.time);
    if (row.until !== Number.POSITIVE_INFINITY) out.whole(row.until - row.time);
    layout.measures.forEach((measure, m) => writeMeasure(out, measure, row, m));
    ({ time, sequence, offset } = row);
  }
  return out.done();
};

const writeMeasure = (out: ByteWriter, { kind }: Measure, row: NewRow, m: number): void => {
  const value = row.numbers[m]!;
  if (kind === 'raw') {
    out.double(value);
    return;
  }
  out.byte(Number.isNaN(value) ? 0 : 1);
  if (Number.isNaN(value)) return;
  if (kind === 'text') out.text(row.texts[m] ?? '');
  else if (kind !== 'one') out.whole(value);
};

/** @throws RangeError where the bytes are no chunk of this layout: they belong to another version of the views */
export const decodeChunk = (bytes: Uint8Array, layout: Layout): Leaf => {
  const input = new ByteReader(bytes);
  const format = input.byte();
  if (format !== FORMAT)
    throw new RangeError(`chunk of stream '${layout.stream}' has format ${format}, not ${FORMAT}`);
  if (input.uint32() !== layout.fingerprint)
    throw new RangeError(`chunk of stream '${layout.stream}' was written for other views`);
  const level = input.whole();
  const leaf = new Leaf(input.whole(), level, layout.measures.length);
  const hasText = layout.measures.some(m => m.kind === 'text');
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
    const texts = hasText ? read.map(r => (typeof r === 'string' ? r : undefined)) : [];
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
