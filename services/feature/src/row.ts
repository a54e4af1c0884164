import { Bad } from '@millrace/avro';
import { EVENT_BYTES_MAX, EVENT_KEY_BYTES_MAX, redrivenOf, replayRunOf } from '@millrace/contracts';
import { checkEvent, type FoldEvent, readEvent } from '@millrace/features';
import {
  type InboundBatch,
  murmur2Partition,
  type PartitionOffset,
  type RejectReason,
  type SkipReason,
} from '@millrace/stream';
import type { Held } from './openBatch.ts';
import type { Plan, SourcePlan } from './plan.ts';
import type { Inbound, RepartitionRow } from './values.ts';

/** An event on its way through the stages. */
export interface Row {
  readonly event: FoldEvent;
  /** The event's value as on its topic, with its frame. */
  readonly value: Uint8Array;
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
): Row | Refusal | SkipReason {
  const { stream, keyField } = source;
  if (replayRunOf(name => batch.header(i, name)) !== undefined) return 'other-run';
  const value = batch.bytes(i);
  const fields = batch.value(i);
  if (value === null || fields === null) return 'tombstone';
  if (fields instanceof Bad) return { reason: fields.reason, cause: fields };
  const key = batch.key(i);
  const large = tooLarge(value, key);
  if (large !== undefined) return { reason: 'too-large', cause: large };
  const wrong = wrongKey(plan, keyField, fields, key, batch.partition);
  if (wrong !== undefined) return { reason: 'wrong-key', cause: wrong };
  const from = sourceOf(source, batch, i);
  if (from === undefined) return { reason: 'bad-value', cause: NO_SOURCE };
  const event = readEvent(plan.pipeline, stream, fields, from.partition, from.offset);
  const refused = checkEvent(event, batch.appendTimeMs(i));
  if (refused !== undefined) return { reason: 'bad-value', cause: refused };
  const header = batch.header(i, 'traceparent');
  return {
    event,
    value,
    sourceTopic: from.topic,
    appendTimeMs: batch.appendTimeMs(i),
    traceparent: header === undefined ? lineageTrace(fields) : UTF8.decode(header),
    isSentAgain: source.asideOf !== undefined,
    late: false,
    features: NOTHING,
    ages: NOTHING,
    held,
  };
}

/**
 * Where the event first stood. What is sent again keeps those coordinates: two events of one place would have no order.
 */
function sourceOf(
  { asideOf }: SourcePlan,
  batch: InboundBatch<Inbound>,
  i: number,
): PartitionOffset | undefined {
  const { topic, partition } = batch;
  if (asideOf === undefined) return { topic, partition, offset: batch.offset(i) };
  const source = redrivenOf(name => batch.header(i, name))?.source;
  return source?.topic === asideOf ? source : undefined;
}

/** The row that another stage sent on. `fields`: its decoded value. */
export function readSent(plan: Plan, sent: RepartitionRow, fields: Inbound, held: Held): Row {
  return {
    event: readEvent(plan.pipeline, sent.stream, fields, sent.sourcePartition, sent.sourceOffset),
    value: sent.value,
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
function tooLarge(value: Uint8Array, key: Uint8Array | null): string | undefined {
  if (value.length > EVENT_BYTES_MAX)
    return `the event has ${value.length} bytes; at most ${EVENT_BYTES_MAX} are allowed`;
  return key !== null && key.length > EVENT_KEY_BYTES_MAX
    ? `the key has ${key.length} bytes; at most ${EVENT_KEY_BYTES_MAX} are allowed`
    : undefined;
}

/** One entity's events must all come through one partition, or its windows are split. The values stay unsaid. */
function wrongKey(
  { pipeline }: Plan,
  keyField: string,
  fields: Inbound,
  key: Uint8Array | null,
  partition: number,
): string | undefined {
  if (key === null) return `the record has no key; it must be the event's ${keyField} in UTF-8`;
  if (!isText(key, String(fields[keyField]))) return `the record's key is not its ${keyField} in UTF-8`;
  const right = murmur2Partition(key, pipeline.partitions);
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
function isText(bytes: Uint8Array, text: string): boolean {
  const { length } = text;
  if (bytes.length < length) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > ASCII_MAX) return UTF8.decode(bytes) === text;
    if (bytes[i] !== code) return false;
  }
  return bytes.length === length;
}
