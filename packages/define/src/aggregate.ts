import type { Expression } from './expression.ts';
import type { Aggregate, AggregateKind, Duration, FeatureDefinition } from './pipeline.ts';

export interface AggregateOptions {
  /** Stream whose events are aggregated. */
  readonly of: string;
  readonly window: Duration;
  /** The window ends this long before the event in hand. Default none: the event in hand is the window's last. */
  readonly delay?: Duration;
  /** Only events for which this holds (share: the events that are counted against all). */
  readonly where?: Expression;
  /** Value of an empty window. Default 0 for count, sum, share and distinct, else missing. */
  readonly empty?: number | 'missing';
}
export interface ValueOptions extends AggregateOptions {
  readonly value: Expression;
  /** Decimal digits of the value that are kept. Default 0. */
  readonly scale?: number;
}

/** Rows of a table have no end but their successor. */
const UNTIL_REPLACED: Duration = '36500d';
const ZERO_WHEN_EMPTY: ReadonlySet<AggregateKind> = new Set(['count', 'sum', 'share', 'distinct']);

const aggregate = (
  kind: AggregateKind,
  options: AggregateOptions & Partial<ValueOptions>,
): FeatureDefinition => {
  const { of, value, where, window, delay = '0ms', scale = 0 } = options;
  const empty = options.empty ?? (ZERO_WHEN_EMPTY.has(kind) ? 0 : 'missing');
  const result: Aggregate = {
    kind,
    of,
    ...(value !== undefined && { value }),
    ...(where !== undefined && { where }),
    window,
    delay,
    scale,
    empty,
  };
  return { aggregate: result };
};

/** Number of events. */
export const count = (options: AggregateOptions): FeatureDefinition => aggregate('count', options);
/** Sum of the value, exact to `scale` digits; events with a missing value are passed over, as in all of these. */
export const sum = (options: ValueOptions): FeatureDefinition => aggregate('sum', options);
/** Exact sum divided by the number of values. */
export const mean = (options: ValueOptions): FeatureDefinition => aggregate('mean', options);
/** Smallest value. */
export const minOf = (options: ValueOptions): FeatureDefinition => aggregate('min', options);
/** Greatest value. */
export const maxOf = (options: ValueOptions): FeatureDefinition => aggregate('max', options);
/** Standard deviation of the population (divided by n, not n - 1); 0 for a single value. */
export const stddev = (options: ValueOptions): FeatureDefinition => aggregate('stddev', options);
/** Share of the events for which `where` holds, among all of the window, 0 to 1. */
export const share = (options: AggregateOptions & { readonly where: Expression }): FeatureDefinition =>
  aggregate('share', options);
/** Number of different values; they may be strings. */
export const distinct = (options: AggregateOptions & { readonly value: Expression }): FeatureDefinition =>
  aggregate('distinct', options);
/** Value of the newest event before the one in hand. */
export const last = (options: ValueOptions): FeatureDefinition => aggregate('last', options);
/** Seconds from the newest event before the one in hand to the one in hand. */
export const timeSinceLast = (options: AggregateOptions): FeatureDefinition =>
  aggregate('timeSinceLast', options);
/**
 * Value of the row of a reference table that is in force at the event's time: the newest of the key from before it or of
 * the same millisecond. A row whose value is missing gives `empty`, and not what an older row had.
 */
export const inForce = (options: Pick<ValueOptions, 'of' | 'value' | 'empty'>): FeatureDefinition =>
  aggregate('inForce', { ...options, window: UNTIL_REPLACED });
/** A feature computed from the event in hand and from other features of the set. */
export const derived = (expression: Expression): FeatureDefinition => ({ expression });
