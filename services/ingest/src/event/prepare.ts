import { Bad } from '@millrace/avro';
import { EVENT_BYTES_MAX, EVENT_KEY_BYTES_MAX } from '@millrace/contracts';
import type { Incoming } from '../body/cloudEvents.ts';
import { toValue } from '../coerce/value.ts';
import type { Target } from './target.ts';

/** What ingest adds to each event of one request. */
export interface Origin {
  /** Name of the API key. */
  readonly producer: string;
  readonly ingestedAtMs: number;
  /** Where the request was sampled. */
  readonly traceparent: string | null;
  /** Id of the event at an index of the request that has none of its own. */
  readonly newId: (index: number) => string;
}

/** An event that is ready to be sent. */
export interface Prepared {
  readonly eventId: string;
  readonly revision: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export const EVENT_ID_CHARS_MAX = 256;

// Printable, without spaces at the ends: ids stand in addresses, logs of others and hashes.
const EVENT_ID = /^[^\p{C}\s](?:[^\p{C}]*[^\p{C}\s])?$/u;

const bad = (field: string, message: string): Bad => new Bad('bad-value', message, field);

/** The event's own fields, completed from its envelope. */
const completed = (target: Target, { data, envelope }: Incoming, origin: Origin, index: number): unknown => {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  const given = data as Readonly<Record<string, unknown>>;
  const has = (name: string): boolean => Object.hasOwn(given, name);
  if (has('lineage'))
    return bad(
      'lineage',
      'lineage is written by ingest; leave it out and name the source as CloudEvents source',
    );
  const event: Record<string, unknown> = { ...given };
  if (target.labels === undefined) {
    if (!has('eventId')) event['eventId'] = envelope.id ?? origin.newId(index);
    else if (envelope.id !== undefined && given['eventId'] !== envelope.id)
      return bad('eventId', 'eventId differs from the id of its CloudEvent; send the same or leave one out');
  }
  if (!has(target.timeField) && envelope.time !== undefined) event[target.timeField] = envelope.time;
  return event;
};

const keyOf = ({ keyField }: Target, value: Readonly<Record<string, unknown>>): Uint8Array | Bad => {
  const key = Buffer.from(String(value[keyField]));
  if (key.length === 0) return bad(keyField, `${keyField} is an empty text; it names the entity`);
  return key.length > EVENT_KEY_BYTES_MAX
    ? new Bad(
        'too-large',
        `${keyField} has ${key.length} bytes; at most ${EVENT_KEY_BYTES_MAX} are allowed`,
        keyField,
      )
    : key;
};

/** Checks an event against its schema and encodes it, or says what is wrong with it. */
export const prepare = (
  target: Target,
  incoming: Incoming,
  origin: Origin,
  index: number,
): Prepared | Bad => {
  const event = completed(target, incoming, origin, index);
  if (event instanceof Bad) return event;
  const found = toValue(target.schema, event);
  if (found instanceof Bad) return found;
  const value = found as Record<string, unknown>;
  const eventId = value['eventId'] as string;
  if (eventId.length > EVENT_ID_CHARS_MAX || !EVENT_ID.test(eventId))
    return bad('eventId', `eventId must be 1 to ${EVENT_ID_CHARS_MAX} printable characters`);
  const revision = (value['revision'] as number | undefined) ?? 0;
  if (revision < 0)
    return bad('revision', 'revision is negative; it is 0 at first and grows with each correction');
  const key = keyOf(target, value);
  if (key instanceof Bad) return key;
  if (target.schema.fields.some(field => field.name === 'lineage'))
    value['lineage'] = {
      source: incoming.envelope.source ?? '',
      producer: origin.producer,
      ingestedAt: origin.ingestedAtMs,
      traceparent: origin.traceparent,
    };
  const bytes = target.codec.encode(value);
  return bytes.length > EVENT_BYTES_MAX
    ? new Bad('too-large', `the event has ${bytes.length} bytes; at most ${EVENT_BYTES_MAX} are allowed`)
    : { eventId, revision, key, value: bytes };
};
