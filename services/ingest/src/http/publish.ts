import { Bad } from '@millrace/avro';
import type { HttpRequest } from '@millrace/runtime';
import { BrokerError, FencedError } from '@millrace/stream';
import { type Clock, type Metrics, parseTraceparent, type Random, type Tracing } from '@millrace/telemetry';
import type { Incoming } from '../body/cloudEvents.ts';
import { readBody } from '../body/read.ts';
import type { IngestConfig } from '../config.ts';
import { carryOut, plan } from '../event/publish.ts';
import type { Seen } from '../event/seen.ts';
import type { Target } from '../event/target.ts';
import { idempotencyKey, repeatableId } from '../event/idempotency.ts';
import { uuid7 } from '../event/uuid7.ts';
import type { Sender } from '../send/sender.ts';
import type { Admitted } from './admit.ts';
import { busy, type Refused } from './admission.ts';
import { type Answer, answerMany, answerOne, type Outcome } from './answer.ts';

export interface PublishOptions {
  readonly sender: Sender;
  readonly seen: Seen;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly config: Pick<IngestConfig, 'eventsMax'>;
}

const RETRY_AFTER_S = 3;

const notRead = ({ reason, message }: Bad): Answer | Refused => ({
  problem: {
    status: reason === 'too-large' ? 413 : 400,
    title: reason === 'too-large' ? 'Body too large' : 'The body cannot be read',
    detail: message,
  },
});

const header = (request: HttpRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** Reads, checks and sends the events of one admitted request; answers once the broker has acknowledged them. */
export const publish = async (
  options: PublishOptions,
  { key, target, type }: Admitted,
  request: HttpRequest,
): Promise<Answer | Refused> => {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const body = readBody(type, bytes, request.headers, options.config.eventsMax);
  if (body instanceof Bad) return notRead(body);
  const items = body.kind === 'one' ? [body.item] : body.items;
  const repeat = idempotencyKey(header(request, 'idempotency-key'));
  if (repeat instanceof Bad)
    return { problem: { status: 400, title: 'Bad Idempotency-Key', detail: repeat.message } };
  try {
    const outcomes = await sendTraced(options, target, key, items, {
      traceparent: header(request, 'traceparent'),
      repeat,
    });
    return body.kind === 'one' ? answerOne(outcomes[0]!) : answerMany(outcomes);
  } catch (error) {
    if (!(error instanceof BrokerError) && !(error instanceof FencedError)) throw error;
    const detail = 'The broker has not acknowledged in time; send the same events, with the same ids, again.';
    return busy(detail, RETRY_AFTER_S);
  }
};

const sendTraced = (
  options: PublishOptions,
  target: Target,
  key: Admitted['key'],
  items: readonly (Incoming | Bad)[],
  request: { readonly traceparent: string | undefined; readonly repeat: string | undefined },
): Promise<readonly Outcome[]> => {
  const { clock, random, metrics, seen, sender, tracing } = options;
  const { pipeline, stream, topic } = target;
  const only = items.length === 1 ? items[0] : undefined;
  const parent = (only instanceof Bad ? undefined : only?.envelope.traceparent) ?? request.traceparent;
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': topic,
    'messaging.batch.message_count': items.length,
  };
  return tracing.span(`send ${topic}`, { kind: 'producer', parent, attributes }, async span => {
    const sampled = parent !== undefined && parseTraceparent(parent)?.sampled === true ? parent : null;
    const ingestedAtMs = clock.now();
    const publication = plan(
      target,
      items,
      {
        producer: key.name,
        ingestedAtMs,
        traceparent: span.traceparent ?? sampled,
        newId: index =>
          request.repeat === undefined
            ? uuid7(ingestedAtMs, random)
            : repeatableId([key.name, pipeline, stream, request.repeat], index),
      },
      seen,
    );
    await carryOut(target, publication, sender, seen);
    for (const outcome of publication.outcomes) {
      const told = outcome.kind === 'refused' ? 'refused' : outcome.duplicate ? 'duplicate' : 'accepted';
      metrics.count('millrace_ingest_events_total', { pipeline, stream, outcome: told });
    }
    return publication.outcomes;
  });
};
