import { Bad } from '@millrace/avro';
import {
  EVENT_BYTES_MAX,
  EVENT_KEY_BYTES_MAX,
  redrivenOf,
  REPLAY_RUN_HEADER,
  replayRunOf,
} from '@millrace/contracts';
import { checkEvent, type EventInHand, eventInHand, type FoldEvent, readEvent } from '@millrace/features';
import {
  type BytesPlace,
  type InboundBatch,
  murmur2Partition,
  noPlace,
  type PartitionOffset,
  placeOfKey,
  placeOfValue,
  type RejectReason,
  type SkipReason,
} from '@millrace/stream';
import type { Held } from './openBatch.ts';
import type { Plan, SourcePlan } from './plan.ts';
import type { Inbound, RepartitionRow } from './values.ts';

/** An event on its way through the stages. */
export interface Row {
  readonly event: FoldEvent;
  /** Where the event's value lies as on its topic, with its frame. */
  readonly value: Readonly<BytesPlace>;
  readonly sourceTopic: string;
  readonly appendTimeMs: number;
  readonly traceparent: string | null;
  /** From aside of its topic: somebody has sent it again. */
  readonly isSentAgain: boolean;
  /** A stage so far had seen something newer of the event's key. */
  late: boolean;
  /** What the stages so far gave, one behind the other. */
  features: readonly number[];
  /** Of the views of the stages so far, two numbers each, as `agesOf` gives them. */
  ages: readonly number[];
  readonly held: Held;
}

export interface Refusal {
  readonly reason: RejectReason;
  /** A text is a sentence of ours without the record in it: it is told in the dead letter as it is. */
  readonly cause: string | Bad;
}

const UTF8 = new TextDecoder();
const NOTHING: readonly number[] = [];
/** Of rows for which nobody waits. */
export const NOBODY: Held = {
  batch: {
    settled: Promise.resolve(),
    done: () => undefined,
    skip: () => undefined,
    reject: () => undefined,
  },
  i: 0,
};

/** A row that is read anew again and again. */
type RowInHand = { -readonly [K in keyof Row]: Row[K] } & { event: EventInHand; value: BytesPlace };

/** To be read into. Whoever keeps rows takes a new one for each. */
export const rowInHand = (): RowInHand => ({
  event: eventInHand(),
  value: noPlace(),
  sourceTopic: '',
  appendTimeMs: 0,
  traceparent: null,
  isSentAgain: false,
  late: false,
  features: NOTHING,
  ages: NOTHING,
  held: NOBODY,
});
const NO_SOURCE =
  'the record does not say where it first stood: send letters again with millrace dlq redrive';

/**
 * Reads record `i` of a source partition, or says why it is passed over. What a replay wrote again was folded where it
 * first stood, or is not ours to fold: a run has state of its own or none.
 */
export function readSource(
  plan: Plan,
  source: SourcePlan,
  batch: InboundBatch<Inbound>,
  i: number,
  held: Held,
  into: RowInHand = rowInHand(),
): Row | Refusal | SkipReason {
  const { stream, keyField } = source;
  if (replayRunOf(batch.header(i, REPLAY_RUN_HEADER)) !== undefined) return 'other-run';
  const { value } = into;
  const fields = placeOfValue(batch, i, value) ? batch.value(i) : null;
  if (fields === null) return 'tombstone';
  if (fields instanceof Bad) return { reason: fields.reason, cause: fields };
  const key = placeOfKey(batch, i, keyInHand) ? keyInHand : null;
  const large = tooLarge(value, key);
  if (large !== undefined) return { reason: 'too-large', cause: large };
  const wrong = wrongKey(plan, keyField, fields, key, batch.partition);
  if (wrong !== undefined) return { reason: 'wrong-key', cause: wrong };
  const from = sourceOf(source, batch, i);
  if (from === undefined) return { reason: 'bad-value', cause: NO_SOURCE };
  const appendTimeMs = batch.appendTimeMs(i);
  const event = readEvent(plan.pipeline, stream, fields, from.partition, from.offset, into.event);
  const refused = checkEvent(event, appendTimeMs);
  if (refused !== undefined) return { reason: 'bad-value', cause: refused };
  const header = batch.header(i, 'traceparent');
  into.sourceTopic = from.topic;
  into.appendTimeMs = appendTimeMs;
  into.traceparent = header === undefined ? lineageTrace(fields) : UTF8.decode(header);
  into.isSentAgain = source.asideOf !== undefined;
  into.late = false;
  into.features = NOTHING;
  into.ages = NOTHING;
  into.held = held;
  return into;
}

/** By itself: what a function captures is made whenever the function around it is called. */
const headersOf =
  (batch: InboundBatch<Inbound>, i: number) =>
  (name: string): Uint8Array | undefined =>
    batch.header(i, name);

const placeInHand = { topic: '', partition: 0, offset: 0 };

/**
 * Where the event first stood, until the next call. What is sent again keeps those coordinates: two events of one place
 * would have no order.
 */
function sourceOf(
  { asideOf }: SourcePlan,
  batch: InboundBatch<Inbound>,
  i: number,
): PartitionOffset | undefined {
  const { topic, partition } = batch;
  if (asideOf === undefined) {
    placeInHand.topic = topic;
    placeInHand.partition = partition;
    placeInHand.offset = batch.offset(i);
    return placeInHand;
  }
  const source = redrivenOf(headersOf(batch, i))?.source;
  return source?.topic === asideOf ? source : undefined;
}

const keyInHand = noPlace();

/** The row that another stage sent on. `fields`: its decoded value. */
export function readSent(plan: Plan, sent: RepartitionRow, fields: Inbound, held: Held): Row {
  return {
    event: readEvent(plan.pipeline, sent.stream, fields, sent.sourcePartition, sent.sourceOffset),
    value: { bytes: sent.value, from: 0, to: sent.value.length },
    sourceTopic: sent.sourceTopic,
    appendTimeMs: sent.appendTime,
    traceparent: sent.traceparent,
    isSentAgain: false,
    late: sent.late,
    features: sent.features,
    ages: sent.ages,
    held,
  };
}

/** As ingest has it for events over HTTP: a row of it, or a vector, must fit what brokers take. */
function tooLarge({ from, to }: BytesPlace, key: BytesPlace | null): string | undefined {
  if (to - from > EVENT_BYTES_MAX)
    return `the event has ${to - from} bytes; at most ${EVENT_BYTES_MAX} are allowed`;
  return key !== null && key.to - key.from > EVENT_KEY_BYTES_MAX
    ? `the key has ${key.to - key.from} bytes; at most ${EVENT_KEY_BYTES_MAX} are allowed`
    : undefined;
}

/** One entity's events must all come through one partition, or its windows are split. The values stay unsaid. */
function wrongKey(
  { pipeline }: Plan,
  keyField: string,
  fields: Inbound,
  key: BytesPlace | null,
  partition: number,
): string | undefined {
  if (key === null) return `the record has no key; it must be the event's ${keyField} in UTF-8`;
  if (!isText(key, String(fields[keyField]))) return `the record's key is not its ${keyField} in UTF-8`;
  const right = murmur2Partition(key.bytes, pipeline.partitions, key.from, key.to);
  return right === partition
    ? undefined
    : `the key belongs to partition ${right}: produce with Kafka's murmur2 partitioner (librdkafka: partitioner=murmur2_random)`;
}

function lineageTrace(fields: Inbound): string | null {
  const lineage = fields['lineage'] as { readonly traceparent?: string | null } | null | undefined;
  return lineage?.traceparent ?? null;
}

const ASCII_MAX = 0x7f;

/** Whether the bytes are this text in UTF-8. */
function isText({ bytes, from, to }: BytesPlace, text: string): boolean {
  const { length } = text;
  if (to - from < length) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > ASCII_MAX) return UTF8.decode(bytes.subarray(from, to)) === text;
    if (bytes[from + i] !== code) return false;
  }
  return to - from === length;
}
