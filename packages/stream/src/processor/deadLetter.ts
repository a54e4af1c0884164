import { Bad } from '@millrace/avro';
import type { OutRecord, RecordRun } from '../broker/port.ts';
import type { RejectReason } from '../task.ts';

/** Original headers that a dead letter carries on: a bomb of headers must not go off a second time. */
export const HEADER_COUNT_MAX = 64;
export const HEADER_BYTES_MAX = 16 * 1024;
const MESSAGE_LENGTH_MAX = 500;

export interface DeadLetterOf {
  readonly run: RecordRun;
  readonly index: number;
  readonly topic: string;
  readonly group: string;
  /** Name of the processor that rejected it. */
  readonly stage: string;
  readonly reason: RejectReason;
  readonly cause: unknown;
  /** How often the record was handed over, this time included. */
  readonly deliveries: number;
}

const encoder = new TextEncoder();

/** The record as it came (same partition, key, value, headers), with Kafka's `__dlq.errors.*` headers added (KIP-1191). */
export function deadLetter(of: DeadLetterOf): OutRecord {
  const { run, index } = of;
  const kept = cappedHeaders(run.headers(index));
  const about: readonly (readonly [string, string])[] = [
    ['__dlq.errors.topic', run.topic],
    ['__dlq.errors.partition', String(run.partition)],
    ['__dlq.errors.offset', String(run.offset(index))],
    ['__dlq.errors.group', of.group],
    ['__dlq.errors.delivery.count', String(of.deliveries)],
    ['__dlq.errors.message', messageOf(of.reason, of.cause)],
    ['__dlq.errors.reason', of.reason],
    ['__dlq.errors.stage', of.stage],
    ...(kept.dropped > 0 ? [['__dlq.errors.headers.dropped', String(kept.dropped)] as const] : []),
  ];
  return {
    topic: of.topic,
    partition: run.partition,
    key: run.key(index),
    value: run.value(index),
    headers: [...kept.headers, ...about.map(([name, text]) => [name, encoder.encode(text)] as const)],
  };
}

// A redriven letter that fails again gets new coordinates; those of its first failure would only mislead.
const isAbout = (name: string): boolean => name.startsWith('__dlq.errors.');

function cappedHeaders(headers: RecordRunHeaders): { headers: RecordRunHeaders; dropped: number } {
  const kept: (readonly [string, Uint8Array])[] = [];
  let bytes = 0;
  let dropped = 0;
  for (const header of headers) {
    if (isAbout(header[0])) continue;
    const size = header[0].length + header[1].length;
    if (kept.length < HEADER_COUNT_MAX && bytes + size <= HEADER_BYTES_MAX) {
      kept.push(header);
      bytes += size;
    } else dropped++;
  }
  return { headers: kept, dropped };
}

type RecordRunHeaders = ReturnType<RecordRun['headers']>;

/**
 * A sentence without the record in it. `Bad` promises that of its message, and a string was written by the task for
 * this place; the message of any other error may quote what it was given, so only its name is told.
 */
function messageOf(reason: RejectReason, cause: unknown): string {
  if (cause instanceof Bad)
    return clipped(cause.field === undefined ? cause.message : `${cause.field}: ${cause.message}`);
  if (typeof cause === 'string') return clipped(cause);
  return cause instanceof Error ? `${reason}: ${cause.name}` : reason;
}

const clipped = (text: string): string => text.slice(0, MESSAGE_LENGTH_MAX);
