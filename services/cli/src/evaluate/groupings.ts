/** What figures can be told apart by: what answered, a business figure in words, a value of the vector, or a field of the event. */
import { Bad } from '@millrace/avro';
import { catalogue, numericKpis, type PredictionValue, topicsOf } from '@millrace/contracts';
import { featureNames, type Pipeline } from '@millrace/define';
import { type AvroRecord, readSchema } from '@millrace/ingest';
import { UsageError } from '../io.ts';
import type { World } from '../world/prepare.ts';
import { valuesOf } from '../world/slice.ts';

/** Most groups that are told apart; more would be one for each entity or amount. */
export const GROUPS_MAX = 1_000;

export const GROUPINGS = {
  model: p => `${p.model}@${p.modelVersion}`,
  arm: p => p.arm,
  run: p => p.runId,
  route: p => p.route,
  decision: p => p.decision,
  fallback: p => p.fallback ?? 'none',
} as const satisfies Readonly<Record<string, (p: PredictionValue) => string>>;

export interface Grouping {
  readonly name: string;
  /** Of a prediction, or of the event that it answers: that one has to be looked up. */
  readonly of:
    { readonly prediction: (p: PredictionValue) => string } | { readonly event: readonly string[] };
}

/** A feature's value in words: the name that the definition gives it, or the number. */
export const featureText = (pipeline: Pipeline, name: string, value: number | undefined): string => {
  if (value === undefined || Number.isNaN(value)) return 'missing';
  return pipeline.evaluation?.fairness?.groups[name]?.[value] ?? String(value);
};

const schemaOf = (pipeline: Pipeline): AvroRecord =>
  readSchema(catalogue([pipeline]).find(({ name }) => name === topicsOf(pipeline).scored)!.value!.schema);

/** The record in a field's type, where there is one. */
const recordIn = (type: AvroRecord['fields'][number]['type']): AvroRecord | undefined => {
  if (type.kind === 'record') return type;
  return type.kind === 'union' ? type.branches.find(branch => branch.kind === 'record') : undefined;
};

const hasField = (schema: AvroRecord | undefined, [name, ...rest]: readonly string[]): boolean => {
  const found = schema?.fields.find(field => field.name === name);
  if (found === undefined) return false;
  return rest.length === 0 ? recordIn(found.type) === undefined : hasField(recordIn(found.type), rest);
};

/** @throws UsageError naming what there is */
export const groupingOf = (pipeline: Pipeline, name: string): Grouping => {
  if (Object.hasOwn(GROUPINGS, name))
    return { name, of: { prediction: GROUPINGS[name as keyof typeof GROUPINGS] } };
  const numbers = numericKpis(pipeline);
  const words = Object.keys(pipeline.kpis).filter(kpi => !numbers.includes(kpi));
  if (words.includes(name)) return { name, of: { prediction: p => String(p.kpis[name] ?? 'missing') } };
  const features = featureNames(pipeline.features);
  if (features.includes(name))
    return { name, of: { prediction: p => featureText(pipeline, name, p.features[name]) } };
  const schema = schemaOf(pipeline);
  if (hasField(schema, name.split('.'))) return { name, of: { event: name.split('.') } };
  throw new UsageError(
    `--by: '${name}' is unknown; there are ${[...Object.keys(GROUPINGS), ...words].join(', ')}, features (${features.join(', ')}) and fields of the event (${schema.fields.map(field => field.name).join(', ')}; lineage.source)`,
  );
};

const textAt = (event: unknown, path: readonly string[]): string => {
  const value = path.reduce<unknown>((of, name) => (of as Record<string, unknown> | null)?.[name], event);
  return value === null || value === undefined ? 'none' : String(value as string | number | boolean);
};

/** An event is named by its id and revision. */
const keyOf = (eventId: string, revision: number): string => `${eventId}\0${revision}`;

export type EventTexts = (p: PredictionValue) => readonly string[];

/**
 * Looks up, of each event of a stretch of time, the fields that groupings ask for; the topic is read only where one does.
 * @param window event times, milliseconds since the epoch: first included, last excluded
 * @throws RangeError where more than `rowsMax` events would be held in memory
 */
export const eventTexts = async (
  world: World,
  pipeline: Pipeline,
  by: readonly Grouping[],
  window: { readonly fromMs: number; readonly untilMs: number },
  rowsMax: number,
): Promise<EventTexts> => {
  const paths = by.flatMap(({ of }) => ('event' in of ? [of.event] : []));
  if (paths.length === 0) return () => [];
  const found = new Map<string, readonly string[]>();
  const timeField = pipeline.events[pipeline.scores]!.time;
  const records = valuesOf<Record<string, unknown>>(world, pipeline, topicsOf(pipeline).scored);
  for await (const { value } of records) {
    if (value === null || value instanceof Bad) continue;
    const time = value[timeField] as number;
    if (time < window.fromMs || time >= window.untilMs) continue;
    found.set(keyOf(value['eventId'] as string, value['revision'] as number), paths.map(path => textAt(value, path)));
    if (found.size > rowsMax)
      throw new RangeError(`more than ${rowsMax} events: ask for fewer days with --from and --to`);
  } // prettier-ignore
  const notKept = paths.map(() => 'not kept');
  return ({ eventId, revision }) => found.get(keyOf(eventId, revision)) ?? notKept;
};

/** The group of a prediction, one text for each grouping, in their order. */
export const groupOf = (
  by: readonly Grouping[],
  p: PredictionValue,
  texts: EventTexts,
): readonly string[] => {
  const ofEvent = [...texts(p)];
  return by.map(({ of }) => ('prediction' in of ? of.prediction(p) : ofEvent.shift()!));
};
