import type { OutRecord, PartitionOffset } from '../broker/port.ts';
import { bytesOfRecord } from '../broker/shared.ts';
import { appliedChange } from '../state/applied.ts';
import type { OverlayState } from '../state/overlay.ts';
import { ClosingCounts } from './closing.ts';
import type { Lane } from './lane.ts';

/** What one lane contributes to a commit. */
export interface LaneShare<In> {
  readonly lane: Lane<In>;
  readonly rows: number;
  readonly counts: ClosingCounts;
  readonly watermark: number;
}

/** Everything that is ready to be committed at one moment. */
export interface Cut<In> {
  readonly records: readonly OutRecord[];
  /** Never empty. */
  readonly offsets: readonly PartitionOffset[];
  readonly bookkeeping: readonly (readonly [string, Uint8Array])[];
  readonly shares: readonly LaneShare<In>[];
  /** Outputs by topic, changelog not included: for the metrics. */
  readonly outputs: ReadonlyMap<string, number>;
  /** Closings and records. */
  readonly size: number;
  /** Whether more is ready than one commit may carry. */
  readonly more: boolean;
}

export interface CutFrom<In> {
  readonly lanes: readonly Lane<In>[];
  /** Output that belongs to no record; taken whole, and the list with it. */
  readonly plain: OutRecord[];
  readonly state: OverlayState | undefined;
  readonly changelog: { readonly topic: string; readonly partition: number } | undefined;
  /** Most that the lanes may give. */
  readonly max: { readonly records: number; readonly bytes: number };
  /** Whether gaps that were read over are worth a commit of their own. */
  readonly gaps: boolean;
}

/**
 * Takes, in one synchronous stretch: of each lane the closed prefix with what it holds, then plain output, then changes
 * of state. Undefined when there is nothing, or nothing but gaps that were read over, unless they are wanted: what
 * aborted transactions and compaction leave is not worth a commit each time it is seen.
 *
 * What the lanes give can be divided between records as long as each record is all that its output belongs to. Changes
 * of state and plain output belong to no record: where there are some, the cut is whole, however large.
 */
export function takeCut<In>({ lanes, plain, state, changelog, max, gaps }: CutFrom<In>): Cut<In> | undefined {
  const held: OutRecord[] = [];
  const changes = state?.cut() ?? [];
  const whole = plain.length > 0 || changes.length > 0;
  const room = whole ? { records: Infinity, bytes: Infinity } : { ...max };
  const shares = lanes.map(lane => shareOf(lane, held, room));
  // Mostly there are but the ones or the others, and then their list is the list.
  const records = held.length === 0 ? plain : held;
  if (records !== plain) for (const record of plain) records.push(record);
  const outputs = countByTopic(records);
  const offsets = shares
    .filter(({ lane, watermark }) => watermark !== (lane.committed ?? lane.start))
    .map(({ lane, watermark }) => ({ ...lane.at, offset: watermark }));
  const nothing = records.length === 0 && changes.length === 0 && shares.every(({ rows }) => rows === 0);
  if (nothing && !(gaps && offsets.length > 0)) return undefined;
  // Nothing was read that is not committed: an offset is said again, as it proves whose records these are.
  if (offsets.length === 0) offsets.push({ ...shares[0]!.lane.at, offset: shares[0]!.watermark });
  const bookkeeping = changelog === undefined ? [] : offsets.map(appliedChange);
  if (changelog !== undefined) {
    for (const record of changes) records.push(record);
    for (const [key, value] of bookkeeping) records.push({ ...changelog, key: Buffer.from(key), value });
  }
  const more = lanes.some(({ tracker }) => tracker.ready);
  const size = shares.reduce((sum, { rows }) => sum + rows, records.length);
  return { records, offsets, bookkeeping, shares, outputs, size, more };
}

/** Cuts of one task, oldest first, whose records were sent: what is left to commit of them together. */
export function sentTogether<In>(cuts: readonly Cut<In>[]): Cut<In> {
  const outputs = new Map<string, number>();
  for (const cut of cuts)
    for (const [topic, count] of cut.outputs) outputs.set(topic, (outputs.get(topic) ?? 0) + count);
  return {
    records: [],
    offsets: [...new Map(cuts.flatMap(cut => cut.offsets.map(at => [at.topic, at]))).values()],
    bookkeeping: [],
    shares: cuts.flatMap(({ shares }) => shares),
    outputs,
    size: cuts.reduce((sum, { size }) => sum + size, 0),
    more: false,
  };
}

/** @param room what may still be taken; a record that is begun is taken with all of its output. */
function shareOf<In>(
  lane: Lane<In>,
  records: OutRecord[],
  room: { records: number; bytes: number },
): LaneShare<In> {
  const counts = new ClosingCounts();
  const keep = (record: OutRecord): void => {
    records.push(record);
    room.records--;
    room.bytes -= bytesOfRecord(record);
  };
  const rows = lane.tracker.take(
    (code, held) => {
      counts.add(code);
      room.records--;
      if (held === undefined) return;
      if (Array.isArray(held)) for (const record of held as readonly OutRecord[]) keep(record);
      else keep(held as OutRecord);
    },
    () => room.records > 0 && room.bytes > 0,
  );
  return { lane, rows, counts, watermark: lane.tracker.watermark };
}

function countByTopic(records: readonly OutRecord[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  // Records of one topic mostly follow each other.
  for (let i = 0; i < records.length;) {
    const from = i;
    const { topic } = records[from]!;
    while (i < records.length && records[i]!.topic === topic) i++;
    counts.set(topic, (counts.get(topic) ?? 0) + i - from);
  }
  return counts;
}
