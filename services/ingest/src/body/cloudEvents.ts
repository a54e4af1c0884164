import { Bad } from '@millrace/avro';

/** What an envelope says of an event; empty for plain JSON. */
export interface Envelope {
  readonly id?: string;
  readonly source?: string;
  /** As written: the schema's time field takes it where the event has none. */
  readonly time?: string;
  readonly traceparent?: string;
}

/** One event as it came: its data, and what its envelope says. */
export interface Incoming {
  readonly data: unknown;
  readonly envelope: Envelope;
}

/** Attributes that are told of an event, by name. */
type Attributes = (name: string) => unknown;

const isJsonType = (type: string): boolean => /^application\/(json|[a-z0-9.+-]+\+json)\s*(;|$)/i.test(type);

const envelopeOf = (attribute: Attributes): Envelope | Bad => {
  for (const name of ['specversion', 'id', 'source', 'type']) {
    const value = attribute(name);
    if (typeof value !== 'string' || value === '')
      return new Bad(
        'bad-value',
        `the CloudEvents attribute ${name} is missing or no text; CloudEvents 1.0 requires it`,
        name,
      );
  }
  if (attribute('specversion') !== '1.0')
    return new Bad('bad-value', 'the CloudEvents specversion is not 1.0; send version 1.0', 'specversion');
  const optional = (name: string): object => {
    const value = attribute(name);
    return typeof value === 'string' && value !== '' ? { [name]: value } : {};
  };
  const required = { id: attribute('id') as string, source: attribute('source') as string };
  return { ...required, ...optional('time'), ...optional('traceparent') };
};

/** A structured CloudEvent: one JSON object with the attributes, and the event as `data`. */
export const structuredEvent = (json: unknown): Incoming | Bad => {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return new Bad(
      'bad-value',
      'a CloudEvent must be a JSON object with specversion, id, source, type and data',
    );
  const attributes = new Map<string, unknown>(Object.entries(json));
  const envelope = envelopeOf(name => attributes.get(name));
  if (envelope instanceof Bad) return envelope;
  const type = attributes.get('datacontenttype') ?? 'application/json';
  if (attributes.has('data_base64') || typeof type !== 'string' || !isJsonType(type))
    return new Bad(
      'bad-value',
      'the data of the CloudEvent is not JSON; send it as `data` with datacontenttype application/json',
      'data',
    );
  if (!attributes.has('data')) return new Bad('bad-value', 'data is missing; it holds the event', 'data');
  return { data: attributes.get('data'), envelope };
};

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** True for a request in CloudEvents' binary mode: attributes in `ce-` headers, the event as body. */
export const isBinaryMode = (headers: Headers): boolean =>
  headers['ce-specversion'] !== undefined || headers['ce-id'] !== undefined;

const percentDecoded = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch (error) {
    if (error instanceof URIError) return value;
    throw error;
  }
};

export const binaryEnvelope = (headers: Headers): Envelope | Bad =>
  envelopeOf(name => {
    const value = headers[`ce-${name}`];
    return typeof value === 'string' ? percentDecoded(value) : undefined;
  });
