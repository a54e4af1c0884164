import { Bad } from '@millrace/avro';
import { binaryEnvelope, type Incoming, isBinaryMode, structuredEvent } from './cloudEvents.ts';
import { parseJson } from './json.ts';

export const MEDIA_TYPES = [
  'application/json',
  'application/x-ndjson',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

/** The body of one request: one event, or several that are answered one by one. `Bad`: nothing of it could be read. */
export type Body =
  | Bad
  | { readonly kind: 'one'; readonly item: Incoming | Bad }
  | { readonly kind: 'many'; readonly items: readonly (Incoming | Bad)[] };

/** The media type, where it is one of ours with no parameter but a charset of UTF-8. */
export const mediaType = (contentType: string | undefined): MediaType | undefined => {
  const [type, ...parameters] = (contentType ?? '').split(';').map(part => part.trim().toLowerCase());
  const foreign = parameters.some(one => !/^charset="?utf-8"?$/.test(one));
  return foreign ? undefined : MEDIA_TYPES.find(one => one === type);
};

const plain = (data: unknown): Incoming => ({ data, envelope: {} });

const NEWLINE = 0x0a;
const BLANK = /^\s*$/;

/** Empty lines count too: a body of nothing else would be millions of them. */
const lines = (bytes: Uint8Array, most: number): (Incoming | Bad)[] | Bad => {
  const items: (Incoming | Bad)[] = [];
  let empty = 0;
  for (let from = 0; from < bytes.length && items.length <= most;) {
    const end = bytes.indexOf(NEWLINE, from);
    const line = bytes.subarray(from, end < 0 ? bytes.length : end);
    from += line.length + 1;
    if (line.length < 3 && BLANK.test(Buffer.from(line).toString('latin1'))) {
      if (++empty > most) return new Bad('too-large', `the body has more than ${most} empty lines`);
      continue;
    }
    const parsed = parseJson(line);
    items.push(parsed instanceof Bad ? parsed : plain(parsed.json));
  }
  return items;
};

/** @param eventsMax more events than this in one body are refused */
export const readBody = (
  type: MediaType,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  eventsMax: number,
): Body => {
  const many = <T>(items: readonly T[], read: (item: T) => Incoming | Bad): Body => {
    if (items.length === 0) return new Bad('bad-value', 'the body holds no event; send at least one');
    return items.length > eventsMax
      ? new Bad('too-large', `the body holds more than ${eventsMax} events; send them in several requests`)
      : { kind: 'many', items: items.map(read) };
  };
  if (type === 'application/x-ndjson') {
    const items = lines(bytes, eventsMax);
    return items instanceof Bad ? items : many(items, item => item);
  }
  const parsed = parseJson(bytes);
  if (parsed instanceof Bad) return parsed;
  const { json } = parsed;
  if (type === 'application/cloudevents+json') return { kind: 'one', item: structuredEvent(json) };
  if (type === 'application/cloudevents-batch+json')
    return Array.isArray(json)
      ? many<unknown>(json, structuredEvent)
      : new Bad('bad-value', 'a batch of CloudEvents must be a JSON array');
  if (isBinaryMode(headers)) {
    const envelope = binaryEnvelope(headers);
    return { kind: 'one', item: envelope instanceof Bad ? envelope : { data: json, envelope } };
  }
  return Array.isArray(json) ? many<unknown>(json, plain) : { kind: 'one', item: plain(json) };
};
