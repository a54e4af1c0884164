import type { AvscField } from './avsc.ts';

const field = (name: string, type: AvscField['type'], doc: string): AvscField => ({ name, type, doc });
const withDefault = (name: string, type: AvscField['type'], value: unknown, doc: string): AvscField => ({
  name,
  type,
  default: value,
  doc,
});
const time = (name: string, doc: string): AvscField =>
  field(name, { type: 'long', logicalType: 'timestamp-millis' }, doc);

/** Fields of every event that say what it is; the others say what happened. The event's time field is one too. */
export const EVENT_ENVELOPE = ['eventId', 'revision', 'withdrawn', 'sequence', 'lineage'] as const;

const traceparent = withDefault(
  'traceparent',
  ['null', 'string'],
  null,
  'W3C trace context, where the event was sampled.',
);
const source: readonly AvscField[] = [
  field('sourceTopic', 'string', 'Topic of the event.'),
  field('sourcePartition', 'int', 'Partition of the event.'),
  field('sourceOffset', 'long', 'Offset of the event.'),
];
const inputHash = field(
  'inputHash',
  'string',
  "First 16 bytes of the SHA-256 of the event's value bytes, in hex.",
);
const identity = (entity: string): readonly AvscField[] => [
  field('eventId', 'string', 'Id of the event.'),
  field('revision', 'int', 'Revision of the event.'),
  field('sequence', 'long', "Producer's running number of the event."),
  field('entity', 'string', `Value of the pipeline's entity (${entity}).`),
  time('eventTime', 'Event time.'),
  time('appendTime', 'When the broker appended the event to its source topic.'),
];

export const featuresEnvelope = (entity: string): readonly AvscField[] => [
  ...identity(entity),
  field('featureSet', 'int', 'Version of the feature set.'),
  field('featureSetHash', 'string', "Hash of everything that defines the feature set's values."),
  field('late', 'boolean', 'True when the event was older than what one of its keys had already seen.'),
  ...source,
  inputHash,
  field('runId', 'string', 'live, or the id of the run that wrote this vector.'),
  traceparent,
];

/** Before and after the model's outputs, the decision and the business figures. */
export const predictionHead = (entity: string): readonly AvscField[] => [
  field(
    'predictionId',
    'string',
    'First 16 bytes in hex of the SHA-256 of pipeline, event id, revision, run, role and seq, as UTF-8 with a NUL between them: the same event has the same id whatever model answered it.',
  ),
  ...identity(entity),
  time('scoredAt', 'When the model answered.'),
];

export const predictionTail: readonly AvscField[] = [
  field('model', 'string', 'Name of the model that answered; empty for a constant.'),
  field('modelVersion', 'string', 'Its version.'),
  field('modelDigest', 'string', 'SHA-256 of its ONNX file, in hex.'),
  field('featureSet', 'int', 'Version of the feature set.'),
  field('featureSetHash', 'string', 'Hash of the feature set.'),
  field('controlRevision', 'long', 'Revision of the control topic in force.'),
  field('route', 'string', 'Route that was chosen.'),
  field('routeVersion', 'int', 'Version of the routing rules.'),
  withDefault('review', 'boolean', false, 'The route asks that somebody looks at the answer.'),
  withDefault(
    'engine',
    ['null', 'string'],
    null,
    'What the model ran on, cpu or gpu, whatever the route asked for; null where a constant answered, and before this was told.',
  ),
  field('arm', 'string', "champion, or the name of the rollout's arm."),
  field('role', 'string', 'answer, or shadow:<rollout>.'),
  withDefault('fallback', ['null', 'string'], null, 'Why a fallback answered; null when the model did.'),
  field('late', 'boolean', 'The event came later than others of its keys.'),
  field('stale', 'boolean', 'A view behind the vector was older than its freshness bound.'),
  ...source,
  field(
    'vectorOffset',
    'long',
    'Offset of the feature vector on the features topic; its partition is that of the prediction.',
  ),
  inputHash,
  field('batchId', 'string', 'Engine call that scored it: instance, lane, running number.'),
  field('runId', 'string', 'live, or the id of the run.'),
  withDefault('seq', 'int', 0, 'Number of a progressive result; 0 unless progressive.'),
  withDefault('final', 'boolean', true, 'False while a later result will supersede this one.'),
  withDefault('supersedes', ['null', 'string'], null, 'Prediction id that this one replaces.'),
  traceparent,
];
