import { createHash } from 'node:crypto';
import type { AggregateKind, FeatureView, Pipeline } from './pipeline.ts';

/**
 * Version of the computation behind each kind. A change that can change one bit of one result raises it, and with it
 * the hash of every view that uses the kind.
 */
export const ENGINE_VERSIONS: Readonly<Record<AggregateKind | 'expression', number>> = {
  count: 1,
  sum: 1,
  mean: 1,
  min: 1,
  max: 1,
  stddev: 1,
  share: 1,
  distinct: 1,
  last: 1,
  timeSinceLast: 1,
  inForce: 1,
  expression: 1,
};

const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${sorted.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RangeError('a definition holds a number that is not finite: write it as an expression');
  return JSON.stringify(value);
};

/** JSON with object keys in code point order and no spaces: equal data has equal text. */
export const canonicalJson = (value: unknown): string => canonical(value);

const sha256 = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex');

/** Who owns it, what it is said to be and how old it may be change no value, so they are not in the hash; the order of features is. */
const viewContent = (view: FeatureView): object => ({
  name: view.name,
  version: view.version,
  key: view.key,
  features: Object.entries(view.features).map(([name, definition]) => [
    name,
    definition,
    ENGINE_VERSIONS['aggregate' in definition ? definition.aggregate.kind : 'expression'],
  ]),
});

/** SHA-256 in hex of everything in a view that changes its values, engine versions with it. */
export const hashView = (view: FeatureView): string => sha256(viewContent(view));

/** Streams that can change a value of the set: a table that none of its views reads cannot. */
export const streamsOfSet = ({ events, features }: Pipeline): Pipeline['events'] => {
  const read = new Set(
    features.views
      .flatMap(({ features: of }) => Object.values(of))
      .flatMap(d => ('aggregate' in d ? [d.aggregate.of] : [])),
  );
  return Object.fromEntries(
    Object.entries(events).filter(([name, { table }]) => table !== true || read.has(name)),
  );
};

/** SHA-256 in hex of everything that changes a pipeline's vectors: set, views, engine, streams and time zone. */
export const hashFeatureSet = (pipeline: Pipeline): string =>
  sha256({
    version: pipeline.features.version,
    engine: ENGINE_VERSIONS.expression,
    inputs: Object.entries(pipeline.features.inputs),
    views: pipeline.features.views.map(viewContent),
    events: streamsOfSet(pipeline),
    scores: pipeline.scores,
    timeZone: pipeline.timeZone,
  });

/**
 * SHA-256 in hex of a whole pipeline. Descriptions, what becomes of records without an answer, what runs beside it, and
 * when its nights run change no value.
 */
export const hashPipeline = (pipeline: Pipeline): string => {
  const { description: _, rejects: __, beside: ___, night: ____, features, decisions, ...rest } = pipeline;
  return sha256({ ...rest, decisions, features: hashFeatureSet({ ...pipeline, features }) });
};
