import { Bad } from '@millrace/avro';
import { murmur2Partition, type OutRecord } from '@millrace/stream';
import type { Incoming } from '../body/cloudEvents.ts';
import type { Outcome } from '../http/answer.ts';
import type { Sender } from '../send/sender.ts';
import { type Origin, prepare, type Prepared } from './prepare.ts';
import type { Seen } from './seen.ts';
import type { Target } from './target.ts';

/** The events of one request: checked, and sent with one acknowledgement for all. */
export interface Publication {
  readonly outcomes: readonly Outcome[];
  readonly records: readonly OutRecord[];
  /** To be remembered once the broker has acknowledged. */
  readonly fresh: readonly Prepared[];
}

const recordOf = (
  { topic, partitions }: Target,
  { key, value }: Prepared,
  traceparent: string | null,
): OutRecord => ({
  topic,
  partition: murmur2Partition(key, partitions),
  key,
  value,
  ...(traceparent === null ? {} : { headers: [['traceparent', Buffer.from(traceparent)]] as const }),
});

/** Decides what is sent: all that fit their schema, less what was acknowledged before or stands in the request twice. */
export const plan = (
  target: Target,
  items: readonly (Incoming | Bad)[],
  origin: Origin,
  seen: Seen,
): Publication => {
  const fresh: Prepared[] = [];
  const inRequest = new Set<string>();
  const outcomes = items.map((item, index): Outcome => {
    const event = item instanceof Bad ? item : prepare(target, item, origin, index);
    if (event instanceof Bad) return { kind: 'refused', bad: event };
    const { eventId, revision } = event;
    const id = `${revision} ${eventId}`;
    const duplicate = inRequest.has(id) || seen.has(target.topic, eventId, revision);
    inRequest.add(id);
    if (!duplicate) fresh.push(event);
    return { kind: 'accepted', eventId, revision, duplicate };
  });
  return { outcomes, fresh, records: fresh.map(event => recordOf(target, event, origin.traceparent)) };
};

/** Sends a plan and remembers it. @throws BrokerError when it was not acknowledged */
export const carryOut = async (
  target: Target,
  plan: Publication,
  sender: Sender,
  seen: Seen,
): Promise<void> => {
  if (plan.records.length > 0) await sender.send(plan.records);
  for (const { eventId, revision } of plan.fresh) seen.add(target.topic, eventId, revision);
};
