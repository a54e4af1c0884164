import { createHash } from 'node:crypto';
import {
  type Aggregate, canonicalJson, compileCondition, compileExpression, compileNumber, durationMs, type Expression, type Pipeline,
} from '@millrace/define'; // prettier-ignore
import type { FoldEvent } from './event.ts';

/**
 * A measure is one figure that a timeline keeps for each event, with running counts and sums of it. Aggregates of
 * several windows share their measures.
 * - `one`: 1 for every event for which the condition holds
 * - `scaled`: the value in whole units of its scale, so that sums are exact
 * - `square`: one of five parts of the square of the scaled value (see `squareParts`)
 * - `raw`: the value as it is
 * - `text`: the value as text, for counting different ones
 */
export interface Measure {
  readonly kind: 'one' | 'scaled' | 'square' | 'raw' | 'text';
  /** NaN: not counted. For `text`, 0 where `text` gives one. */
  number(event: FoldEvent): number;
  text?(event: FoldEvent): string | undefined;
}

/** What a timeline of one stream keeps, in which order, and for how long. */
export interface Layout {
  readonly stream: string;
  /** Whether entries count only from a time at which they became known (labels). */
  readonly hasKnownAt: boolean;
  /** Rows are in force until the next: the newest is never too old. */
  readonly isTable: boolean;
  /** Measure 0 counts every event. */
  readonly measures: readonly Measure[];
  /** Whether one of them is text. */
  readonly hasText: boolean;
  /** Entries older than the newest by this are dropped, milliseconds. */
  readonly retentionMs: number;
  /** What a row takes in memory, about. */
  readonly bytesPerRow: number;
  /** First bytes of a hash of all of this: chunks of another layout are refused. */
  readonly fingerprint: number;
}

/** Greatest magnitude of a scaled value; beyond it a figure is taken as missing. 2^43 cents are 87 thousand million. */
export const SCALED_MAX = 2 ** 43;
/** How long the rows of a table are kept once they are replaced: as long as events lie on their topics, so that all find theirs. */
const REPLACED_MS = durationMs('90d');
const LIMB = 2 ** 16;
export const SQUARE_PARTS = 5;

/**
 * x^2 for |x| <= 2^43 as the sum of part[i] * 2^(16 i). Each part stays below 2^34, so that half a million of them add
 * up exactly in a double.
 */
export const squareParts = (x: number): readonly number[] => {
  const low = Math.abs(x) % LIMB;
  const middle = Math.floor(Math.abs(x) / LIMB) % LIMB;
  const high = Math.floor(Math.abs(x) / LIMB / LIMB);
  return [low * low, 2 * low * middle, middle * middle + 2 * low * high, 2 * middle * high, high * high];
};

const scaledBy = (scale: number): ((x: number) => number) => {
  const factor = 10 ** scale;
  return x => {
    const scaled = Math.round(x * factor);
    return Math.abs(scaled) <= SCALED_MAX ? scaled : Number.NaN;
  };
};

interface MeasureSpec {
  readonly kind: Measure['kind'];
  readonly value?: Expression | undefined;
  readonly where?: Expression | undefined;
  readonly scale?: number | undefined;
  readonly part?: number | undefined;
}

const textOf = (value: number | string | boolean): string | undefined =>
  typeof value === 'number' && Number.isNaN(value) ? undefined : `${typeof value}:${String(value)}`;

const compileMeasure = (spec: MeasureSpec, timeZone: string): Measure => {
  const env = { timeZone, field: (name: string) => (event: FoldEvent) => event.fields[name] };
  const where = spec.where === undefined ? () => true : compileCondition(spec.where, env);
  if (spec.kind === 'one') return { kind: 'one', number: event => (where(event) ? 1 : Number.NaN) };
  const expression = spec.value ?? { op: 'constant', value: Number.NaN };
  if (spec.kind === 'text') {
    const evaluate = compileExpression(expression, env);
    const text = (event: FoldEvent): string | undefined =>
      where(event) ? textOf(evaluate(event)) : undefined;
    return { kind: 'text', text, number: event => (text(event) === undefined ? Number.NaN : 0) };
  }
  const value = compileNumber(expression, env);
  if (spec.kind === 'raw')
    return { kind: 'raw', number: event => (where(event) ? value(event) : Number.NaN) };
  const scaled = scaledBy(spec.scale ?? 0);
  if (spec.kind === 'scaled')
    return { kind: 'scaled', number: event => (where(event) ? scaled(value(event)) : Number.NaN) };
  const part = spec.part ?? 0;
  return {
    kind: 'square',
    number: event => (where(event) ? squareParts(scaled(value(event)))[part]! : Number.NaN),
  };
};

const specsOf = (a: Aggregate): readonly MeasureSpec[] => {
  const { value, where, scale } = a;
  switch (a.kind) {
    case 'count':
    case 'share':
    case 'timeSinceLast':
      return [{ kind: 'one', where }];
    case 'sum':
    case 'mean':
      return [{ kind: 'scaled', value, where, scale }];
    case 'stddev':
      return [
        { kind: 'scaled', value, where, scale },
        ...Array.from({ length: SQUARE_PARTS }, (_, part): MeasureSpec => ({ kind: 'square', value, where, scale, part })),
      ]; // prettier-ignore
    case 'min':
    case 'max':
    case 'last':
    case 'inForce':
      return [{ kind: 'raw', value, where }];
    case 'distinct':
      return [{ kind: 'text', value, where }];
    default:
      throw new RangeError(`aggregation '${String(a.kind satisfies never)}' is unknown`);
  }
};

/** The layout for one stream's aggregates, and for each of them the indices of its measures. */
export const layoutOf = (
  pipeline: Pipeline,
  stream: string,
  aggregates: readonly Aggregate[],
  allowanceMs: number,
): { readonly layout: Layout; readonly measuresOf: ReadonlyMap<Aggregate, readonly number[]> } => {
  const specs = new Map<string, MeasureSpec>([[canonicalJson({ kind: 'one' }), { kind: 'one' }]]);
  const measuresOf = new Map<Aggregate, readonly number[]>();
  for (const a of aggregates) {
    const keys = specsOf(a).map(spec => {
      const key = canonicalJson(spec);
      specs.set(key, specs.get(key) ?? spec);
      return key;
    });
    const order = [...specs.keys()];
    measuresOf.set(
      a,
      keys.map(key => order.indexOf(key)),
    );
  }
  const hasKnownAt = pipeline.events[stream]?.knownAt !== undefined;
  const isTable = pipeline.events[stream]?.table === true;
  const spansMs = aggregates.map(a => durationMs(a.window) + durationMs(a.delay));
  const retentionMs = allowanceMs + (isTable ? REPLACED_MS : Math.max(0, ...spansMs));
  const digest = createHash('sha256')
    .update(canonicalJson({ stream, hasKnownAt, timeZone: pipeline.timeZone, specs: [...specs.keys()] }))
    .digest();
  const hasText = [...specs.values()].some(({ kind }) => kind === 'text');
  return {
    layout: {
      stream,
      hasKnownAt,
      isTable,
      measures: [...specs.values()].map(spec => compileMeasure(spec, pipeline.timeZone)),
      hasText,
      retentionMs,
      bytesPerRow: 120 + 20 * specs.size + (hasText ? 200 : 0),
      fingerprint: digest.readUInt32LE(0),
    },
    measuresOf,
  };
};
