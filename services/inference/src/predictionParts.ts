/**
 * A prediction is put together of three kinds of parts, in the order of its schema: what the vector says is copied from
 * the vector's bytes (fields that follow each other there, together), what rows of a batch have in common is encoded once
 * for them (fields that follow each other, together), and what is a row's own is written as it comes.
 */
import { encodeAlike, type Field, type RecordCodec } from '@millrace/avro';
import type { FeaturesValue, PredictionValue } from '@millrace/contracts';
import { copy, copyAll, type Room, type Source } from './bytes.ts';
import { isOwn, type Own, type PutOwn, type RowFields } from './predictionOwn.ts';

const COPIED: ReadonlySet<string> = new Set<keyof FeaturesValue & keyof PredictionValue>([
  'eventId', 'revision', 'sequence', 'entity', 'eventTime', 'appendTime', 'late', 'sourceTopic', 'sourcePartition', 'sourceOffset',
  'inputHash', 'runId', 'traceparent', 'features',
]); // prettier-ignore

type Point = Field['place']['start'];

/** From one point of the vector to another. */
interface CopiedPart {
  readonly kind: 'copied';
  readonly from: Point;
  to: Point;
}

interface SteadyPart {
  readonly kind: 'steady';
  /** Of its fields. */
  readonly names: string[];
}

export type Part = CopiedPart | SteadyPart | { readonly kind: Own };

/**
 * @param ofOneRun the run is shared by all of a batch, and not the vectors' own
 * @throws TypeError where the schemas do not fit each other: our own defect
 */
export const partsOf = (
  { rows }: RecordCodec<FeaturesValue>,
  { fieldNames, rows: written }: RecordCodec<PredictionValue>,
  ofOneRun: boolean,
): readonly Part[] => {
  const parts: Part[] = [];
  for (const name of fieldNames) {
    const last = parts.at(-1);
    if (isOwn(name)) parts.push({ kind: name });
    else if (COPIED.has(name) && !(ofOneRun && name === 'runId')) {
      const field = rows.field(name);
      if (!encodeAlike(field, written.field(name)))
        throw new TypeError(`field '${name}' is one thing in the vector and another in the prediction`);
      const { start, end } = field.place;
      if (last?.kind === 'copied' && isSamePoint(last.to, start)) last.to = end;
      else parts.push({ kind: 'copied', from: start, to: end });
    } else if (last?.kind === 'steady') last.names.push(name);
    else parts.push({ kind: 'steady', names: [name] });
  }
  return parts;
};

const isSamePoint = (a: Point, b: Point): boolean => a.slot === b.slot && a.bytes === b.bytes;

/** One row: where its vector lies, which slots of `starts` are its own, and what is steady in it, by part. */
export interface RowSources {
  memory: Source;
  starts: Int32Array;
  base: number;
  steady: readonly Source[];
}

/** Writes all parts of a row. @returns where they end */
type WriteParts = (from: RowSources, row: number, fields: RowFields, room: Room, to: number) => number;

/** One function for these parts, as the loop over them would be the hottest one there is. */
export const partsWriter = (parts: readonly Part[], own: Readonly<Record<Own, PutOwn>>): WriteParts => {
  const at = ({ slot, bytes }: Point): string => `starts[base + ${slot}] + ${bytes}`;
  const steps = parts.map((part, k) => {
    if (part.kind === 'copied') return `copy(memory, ${at(part.from)}, ${at(part.to)}, target, to)`;
    return part.kind === 'steady' ? `copyAll(steady[${k}], target, to)` : `own${k}(row, fields, room, to)`;
  });
  const text = `return (from, row, fields, room, to) => {
    const { memory, starts, base, steady } = from;
    const target = room.target;
    ${steps.map(step => `to = ${step};`).join('\n')}
    return to;
  };`;
  const owns = parts.flatMap(({ kind }, k) =>
    kind === 'copied' || kind === 'steady' ? [] : [[`own${k}`, own[kind]] as const],
  );
  // Nothing of the schema's own words is in it: kinds and numbers only.
  // oxlint-disable-next-line typescript/no-implied-eval
  const make = new Function('copy', 'copyAll', ...owns.map(([name]) => name), text) as (
    ...of: readonly unknown[]
  ) => WriteParts;
  return make(copy, copyAll, ...owns.map(([, put]) => put));
};
