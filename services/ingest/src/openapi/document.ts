import type { Stream } from '../event/target.ts';
import { IDEMPOTENCY_KEY_CHARS_MAX } from '../event/idempotency.ts';
import { recordSchema } from './schema.ts';

type Node = Readonly<Record<string, unknown>>;

const ref = (name: string): Node => ({ $ref: `#/components/schemas/${name}` });
const problem = (description: string, retry = false): Node => ({
  description,
  ...(retry
    ? { headers: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } } }
    : {}),
  content: { 'application/problem+json': { schema: ref('Problem') } },
});

const RESPONSES: Node = {
  202: {
    description: 'The broker has acknowledged every event.',
    content: { 'application/json': { schema: { anyOf: [ref('Accepted'), ref('Items')] } } },
  },
  207: {
    description: 'Some events were accepted, others refused: see each item.',
    content: { 'application/json': { schema: ref('Items') } },
  },
  400: problem('The body is not what its content-type says.'),
  401: problem('No API key, or one that is not known.'),
  403: problem('The key may not send to this pipeline.'),
  404: problem('No such pipeline or stream; those known are listed.'),
  413: problem('The body is too large, too deep, or holds too many events.'),
  415: problem('The content-type is not taken, or the body is compressed.'),
  422: {
    description: 'No event fits its schema: the field, the kind of value found, the remedy.',
    content: {
      'application/problem+json': { schema: ref('Problem') },
      'application/json': { schema: ref('Items') },
    },
  },
  429: problem('Too many requests of this key are under way.', true),
  503: problem('Nothing more can be taken at present; send again.', true),
};

const SHARED: Node = {
  Accepted: {
    type: 'object',
    required: ['eventId', 'revision'],
    properties: {
      eventId: { type: 'string' },
      revision: { type: 'integer' },
      duplicate: { const: true, description: 'Acknowledged before; nothing was written again.' },
    },
  },
  Items: {
    type: 'object',
    required: ['accepted', 'duplicates', 'refused', 'items'],
    properties: {
      accepted: { type: 'integer' },
      duplicates: { type: 'integer' },
      refused: { type: 'integer' },
      items: {
        type: 'array',
        description: 'One for each event, in the order sent.',
        items: {
          type: 'object',
          required: ['status'],
          properties: {
            status: { enum: [202, 422] },
            eventId: { type: 'string' },
            revision: { type: 'integer' },
            duplicate: { const: true },
            field: { type: 'string' },
            reason: { type: 'string' },
            detail: { type: 'string' },
          },
        },
      },
    },
  },
  Problem: {
    type: 'object',
    description: 'RFC 9457.',
    required: ['type', 'title', 'status', 'detail'],
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      field: { type: 'string' },
      known: { type: 'array', items: { type: 'string' } },
    },
  },
  CloudEvent: {
    type: 'object',
    description:
      'CloudEvents 1.0 in JSON; `data` is the event. Its id is the event id unless the event has one.',
    required: ['specversion', 'id', 'source', 'type', 'data'],
    properties: {
      specversion: { const: '1.0' },
      id: { type: 'string' },
      source: { type: 'string' },
      type: { type: 'string' },
      time: { type: 'string', format: 'date-time' },
      data: { type: 'object' },
    },
  },
};

const schemaName = ({ pipeline, stream }: Stream): string => `${pipeline}.${stream}`;

/** What a client sends: not the lineage, which ingest writes; the event id only where it cannot be given for it. */
const eventSchema = ({ schema, labels }: Stream): Node => {
  const fields = schema.fields.map(field =>
    field.name === 'eventId' && labels === undefined
      ? { ...field, doc: `${field.doc} Generated when left out.`, fallback: { value: undefined } }
      : field,
  );
  return recordSchema({ ...schema, fields }, field => field.name !== 'lineage');
};

const operation = (stream: Stream): Node => {
  const event = ref(schemaName(stream));
  return {
    operationId: `post-${stream.pipeline}-${stream.stream}`,
    summary: `Events of ${stream.stream}, to topic ${stream.topic}, keyed by ${stream.keyField}.`,
    tags: [stream.pipeline],
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        description:
          'For events without an id: they get ids that follow from this key and their place in the request, so that the ' +
          'same request again has no second effect.',
        schema: { type: 'string', maxLength: IDEMPOTENCY_KEY_CHARS_MAX },
      },
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: { anyOf: [event, { type: 'array', items: event }] } },
        'application/x-ndjson': { schema: { type: 'string', description: 'One event in JSON per line.' } },
        'application/cloudevents+json': { schema: ref('CloudEvent') },
        'application/cloudevents-batch+json': { schema: { type: 'array', items: ref('CloudEvent') } },
      },
    },
    responses: RESPONSES,
  };
};

/** OpenAPI 3.1 document of ingest, from the pipelines and their schemas. */
export const openApiDocument = (streams: readonly Stream[], version: string): Node => ({
  openapi: '3.1.0',
  info: {
    title: 'Millrace ingest',
    version,
    description: 'Takes events over HTTP and answers once the broker has acknowledged them.',
  },
  security: [{ bearer: [] }, { apiKey: [] }],
  paths: {
    ...Object.fromEntries(
      streams.map(one => [`/v1/${one.pipeline}/${one.stream}`, { post: operation(one) }]),
    ),
    '/v1': {
      get: {
        operationId: 'list-streams',
        summary: 'Streams that the key may send to.',
        responses: {
          200: { description: 'Streams, with their topics and keys.' },
          401: problem('No valid API key.'),
        },
      },
    },
  },
  components: {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    },
    schemas: { ...SHARED, ...Object.fromEntries(streams.map(one => [schemaName(one), eventSchema(one)])) },
  },
});
