import {
  agedViews,
  ageField,
  everySet,
  type Expression,
  expressionInWords,
  type FeatureSet,
  type Kind,
  type KindFound,
  kindOf,
  MIXED,
  type Pipeline,
} from '@millrace/define';
import { repositorySchemas, type SchemaSource } from '../files/schemas.ts';
import { PUSH_ENVELOPE } from '../values.ts';
import { type Avsc, type AvscField, type AvscRecord, compactSchema, parseRecord } from './avsc.ts';
import { EVENT_ENVELOPE, featuresEnvelope, predictionHead, predictionTail } from './envelope.ts';

/** Schema texts of one pipeline, each in its one spelling. */
export interface PipelineSchemas {
  /** Stream name -> schema of its events. */
  readonly events: Readonly<Record<string, string>>;
  /** Also of the aside topic. */
  readonly features: string;
  readonly prediction: string;
  /** Name of a push -> schema of its records. */
  readonly pushes: Readonly<Record<string, string>>;
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

const KINDS: Readonly<Record<string, Kind>> = {
  string: 'text', enum: 'text', boolean: 'flag', int: 'number', long: 'number', float: 'number', double: 'number',
}; // prettier-ignore

/** What expressions get of a field; undefined where its values are nothing that they can work with. */
const kindOfType = (type: Avsc): Kind | undefined => {
  if (typeof type === 'string') return KINDS[type];
  if (!('type' in type)) {
    const [branch, ...others] = type.filter(one => one !== 'null');
    return branch === undefined || others.length > 0 ? undefined : kindOfType(branch);
  }
  return kindOfType(type.type);
};

/** Tells what an expression over an answer gives. */
const kindsIn = (pipeline: Pipeline, event: AvscRecord): ((e: Expression, place: string) => Kind) => {
  const field = (name: string): Kind | 'unknown' =>
    kindOfType(event.fields.find(one => one.name === name)?.type ?? []) ?? 'unknown';
  const kpi = (name: string): KindFound => kindOf(pipeline.kpis[name]!, { field });
  return (e, place) => {
    const kind = kindOf(e, { field, kpi });
    if (kind === 'mixed') throw new Error(`${pipeline.name}, ${place}: ${MIXED}`);
    if (kind === 'unknown')
      throw new Error(
        `${pipeline.name}, ${place}: it rests on a field that is neither a number, text nor true and false`,
      );
    return kind;
  };
};

/** Business figures of a pipeline that are numbers; the others are words. */
export const numericKpis = (
  pipeline: Pipeline,
  schemas: SchemaSource = repositorySchemas,
): readonly string[] => {
  const { schema } = pipeline.events[pipeline.scores]!;
  const kinds = kindsIn(pipeline, parseRecord(required(schemas, schema), schema));
  return Object.keys(pipeline.kpis).filter(name => kinds(pipeline.kpis[name]!, `kpis.${name}`) !== 'text');
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

const nullable = (type: string): Avsc => ['null', type];

/**
 * Schema of the predictions topic: what predictions by any version of the feature set are read with.
 * @param event schema of the scored stream's events
 * @throws Error where a business figure is neither a number nor text
 */
const predictionSchema = (pipeline: Pipeline, event: AvscRecord): AvscRecord => {
  const kinds = kindsIn(pipeline, event);
  const kpis = Object.entries(pipeline.kpis).map(([name, e]): AvscField =>
    kinds(e, `kpis.${name}`) === 'text'
      ? { name, type: nullable('string'), default: null, doc: 'Business figure in words; null is missing.' }
      : { name, type: 'double', doc: 'Business figure.' },
  );
  return {
    type: 'record',
    name: 'Prediction',
    namespace: namespaceOf(pipeline),
    doc: `One answer to one event, with its provenance. Key of the topic: ${pipeline.entity}. Generated from pipeline ${pipeline.name}; do not edit.`,
    fields: [
      ...predictionHead(pipeline.entity),
      {
        name: 'outputs',
        type: named(
          'Outputs',
          'Named model outputs.',
          pipeline.model.outputs.map(name => ({ name, type: 'float', doc: 'Model output.' })),
        ),
        doc: 'Outputs of the model.',
      },
      { name: 'decision', type: 'string', doc: 'Name of the first decision whose condition held.' },
      {
        name: 'kpis',
        type: named('Kpis', 'Named figures.', kpis),
        doc: 'Business figures.',
      },
      ...predictionTail,
      { name: 'features', type: scoredVector(pipeline), doc: 'The vector that was scored.' },
    ],
  };
};

const pascal = (text: string): string =>
  text.replaceAll(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase());

/**
 * Schema of what is pushed to a topic of its own.
 * @param event schema of the scored stream's events
 * @throws Error where a value is neither a number, text nor true and false
 */
const pushSchema = (pipeline: Pipeline, push: string, event: AvscRecord): AvscRecord => {
  const { description, fields, key } = pipeline.pushes[push]!;
  const kinds = kindsIn(pipeline, event);
  const types = { number: 'double', text: 'string', flag: 'boolean' } as const;
  const values = Object.entries(fields).map(([name, e]): AvscField => ({
    name,
    type: nullable(types[kinds(e, `pushes.${push}.fields.${name}`)]),
    default: null,
    doc: `${expressionInWords(e)}; null is missing.`,
  }));
  const envelope = new Set<string>(PUSH_ENVELOPE);
  const keyed = key === undefined ? pipeline.entity : expressionInWords(key);
  return {
    type: 'record',
    name: pascal(push),
    namespace: namespaceOf(pipeline),
    doc: `${description ?? `Pushed beside a prediction (${push}).`} Key of the topic: ${keyed}. The prediction id is its own here: of one prediction there is one record. Generated from pipeline ${pipeline.name}; do not edit.`,
    fields: [
      ...predictionSchema(pipeline, event).fields.filter(({ name }) => envelope.has(name)),
      { name: 'values', type: named(`${pascal(push)}Values`, 'What the definition says.', values), doc: 'The values.' },
      {
        name: 'unknown',
        type: { type: 'array', items: 'string' },
        default: [],
        doc: 'Each value that could not be worked out, as name: reason.',
      },
    ],
  };
}; // prettier-ignore

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
  const event = parseRecord(events[pipeline.scores]!, pipeline.events[pipeline.scores]!.schema);
  return {
    events,
    features: JSON.stringify(featuresSchema(pipeline, event)),
    prediction: JSON.stringify(predictionSchema(pipeline, event)),
    pushes: Object.fromEntries(
      Object.keys(pipeline.pushes).map(name => [name, JSON.stringify(pushSchema(pipeline, name, event))]),
    ),
  };
};
