import { agedViews, ageField, everySet, type FeatureSet, type Pipeline } from '@millrace/define';
import { repositorySchemas, type SchemaSource } from '../files/schemas.ts';
import { type AvscField, type AvscRecord, compactSchema, parseRecord } from './avsc.ts';
import { EVENT_ENVELOPE, featuresEnvelope, predictionHead, predictionTail } from './envelope.ts';

/** Schema texts of one pipeline, each in its one spelling. */
export interface PipelineSchemas {
  /** Stream name -> schema of its events. */
  readonly events: Readonly<Record<string, string>>;
  /** Also of the aside topic. */
  readonly features: string;
  readonly prediction: string;
}

const namespaceOf = (pipeline: Pipeline): string => `millrace.${pipeline.name.replaceAll('-', '_')}`;

const named = (name: string, doc: string, fields: readonly AvscField[]): AvscRecord => ({
  type: 'record',
  name,
  doc,
  fields,
});

/** Named float32 fields, contiguous on the wire and in the order of the model's inputs. */
const valuesOf = (features: FeatureSet): readonly AvscField[] => [
  ...Object.keys(features.inputs).map(name => ({ name, type: 'float', doc: 'Input.' })),
  ...features.views.flatMap(view =>
    Object.keys(view.features).map(name => ({
      name,
      type: 'float',
      doc: `View ${view.name}, version ${view.version}.`,
    })),
  ),
];

const vector = ({ features }: Pipeline): AvscRecord =>
  named('FeatureVector', 'Named float32 features; missing is NaN.', valuesOf(features));

/**
 * The vector that was scored. Predictions of every version of a set lie on one topic, and each is written with the values
 * of its own; the schema to read them with has those of all. The default lets the registry take one after the other,
 * `scoredValues` tells it from a value.
 */
const scoredVector = (pipeline: Pipeline): AvscRecord => {
  const values = new Map<string, AvscField>();
  for (const { features } of everySet(pipeline))
    for (const field of valuesOf(features))
      if (!values.has(field.name)) values.set(field.name, { ...field, default: 0 });
  const doc =
    'Named float32 features; missing is NaN. One that the feature set of the prediction has not says nothing.';
  return named('FeatureVector', doc, [...values.values()]);
};

const required = (schemas: SchemaSource, path: string): string => {
  const text = schemas(path);
  if (text === undefined) throw new Error(`there is no schema '${path}': add schemas/${path}.avsc`);
  return text;
};

/** What happened, apart from the envelope. */
const fieldsOfEvent = (pipeline: Pipeline, event: AvscRecord): readonly AvscField[] => {
  const envelope = new Set<string>([...EVENT_ENVELOPE, pipeline.events[pipeline.scores]!.time]);
  return event.fields.filter(({ name }) => !envelope.has(name));
};

/** And what tables say of it: what decisions and business figures may use. */
const eventFields = (pipeline: Pipeline, event: AvscRecord): readonly AvscField[] => [
  ...fieldsOfEvent(pipeline, event),
  ...Object.entries(pipeline.reference).map(([name, d]) => ({
    name,
    type: ['null', 'double'],
    default: null,
    doc: `Of the table ${'aggregate' in d ? d.aggregate.of : ''}, as it was at the event time; null is missing.`,
  })),
];

/**
 * What expressions over a vector may read with `field()`: what of the event stands in it, and its event time.
 * @throws Error when the schema of the scored stream does not exist
 */
export const fieldsInVectors = (
  pipeline: Pipeline,
  schemas: SchemaSource = repositorySchemas,
): readonly string[] => {
  const { schema, time } = pipeline.events[pipeline.scores]!;
  const event = parseRecord(required(schemas, schema), schema);
  return [time, ...fieldsOfEvent(pipeline, event).map(({ name }) => name)];
};

/** Absent where no view keeps anything: a vector that rests on its own event alone has no age. */
const ages = ({ features }: Pipeline): readonly AvscField[] => {
  const views = agedViews(features).map(({ name }) => name);
  if (views.length === 0) return [];
  const record = (name: string, field: string, value: number, doc: string, of: string): AvscField => {
    const fields = views.map(view => ({ name: ageField(view), type: 'int', default: value, doc: `View ${view}.` }));
    const unknown = Object.fromEntries(fields.map(one => [one.name, value]));
    return { name: field, type: named(name, of, fields), default: unknown, doc };
  };
  return [
    record('ViewAges', 'viewAges', 0, 'How far each view was behind this event.', 'Seconds of event time by view: the farthest that one of its streams, other than the scored one, was behind the event.'),
    record('EntityAges', 'entityAges', -1, 'How old was what each view knew of its entity.', 'Seconds of event time by view, since its entity was last heard of in it; -1: never before.'),
  ];
}; // prettier-ignore

/** Schema of the features topic. @param event schema of the scored stream's events */
export const featuresSchema = (pipeline: Pipeline, event: AvscRecord): AvscRecord => ({
  type: 'record',
  name: 'Features',
  namespace: namespaceOf(pipeline),
  doc: `Feature vector of one event (${pipeline.scores}). Key of the topic: ${pipeline.entity}. Generated from the feature set of pipeline ${pipeline.name}; do not edit.`,
  fields: [
    ...featuresEnvelope(pipeline.entity),
    ...ages(pipeline),
    {
      name: 'event',
      type: named('FeaturesEvent', 'The event in hand.', eventFields(pipeline, event)),
      doc: 'Fields of the event that decisions and business figures may use.',
    },
    { name: 'features', type: vector(pipeline), doc: "The vector, in the order of the model's inputs." },
  ],
});

const figures = (
  name: string,
  doc: string,
  names: readonly string[],
  type: string,
  each: string,
): AvscRecord =>
  named(
    name,
    doc,
    names.map(field => ({ name: field, type, doc: each })),
  );

/** Schema of the predictions topic: what predictions by any version of the feature set are read with. */
export const predictionSchema = (pipeline: Pipeline): AvscRecord => {
  const kpis = Object.keys(pipeline.kpis);
  return {
    type: 'record',
    name: 'Prediction',
    namespace: namespaceOf(pipeline),
    doc: `One answer to one event, with its provenance. Key of the topic: ${pipeline.entity}. Generated from pipeline ${pipeline.name}; do not edit.`,
    fields: [
      ...predictionHead(pipeline.entity),
      {
        name: 'outputs',
        type: figures('Outputs', 'Named model outputs.', pipeline.model.outputs, 'float', 'Model output.'),
        doc: 'Outputs of the model.',
      },
      { name: 'decision', type: 'string', doc: 'Name of the first decision whose condition held.' },
      {
        name: 'kpis',
        type: figures('Kpis', 'Named figures.', kpis, 'double', 'Business figure.'),
        doc: 'Business figures.',
      },
      ...predictionTail,
      { name: 'features', type: scoredVector(pipeline), doc: 'The vector that was scored.' },
    ],
  };
};

/**
 * Schemas of a pipeline: its events' from their files, features and predictions generated from the definition.
 * @throws Error when an event schema does not exist
 */
export const schemasOf = (pipeline: Pipeline, schemas: SchemaSource = repositorySchemas): PipelineSchemas => {
  const events = Object.fromEntries(
    Object.entries(pipeline.events).map(([name, { schema }]) => [
      name,
      compactSchema(required(schemas, schema)),
    ]),
  );
  const scored = pipeline.events[pipeline.scores]!.schema;
  return {
    events,
    features: JSON.stringify(featuresSchema(pipeline, parseRecord(events[pipeline.scores]!, scored))),
    prediction: JSON.stringify(predictionSchema(pipeline)),
  };
};
