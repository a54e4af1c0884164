/** Payments over HTTP, posted again under the same ids until ingest says that the brokers have them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { API_KEY } from './fleet.ts';
import type { Rig } from './rig.ts';

const TOPIC = topicsOf(fraud).scored;
const BATCH = 20;
const EVERY_MS = 250;
const ANSWER_MS_MAX = 20_000;
const AGAIN_MS_MAX = 1_000;
const PREFIX = 'h-';

export interface Posts {
  /** Of each status that was answered, how often; 0 where there was no answer. */
  readonly statuses: ReadonlyMap<number, number>;
}

const post = async (rig: Rig, body: string): Promise<number> => {
  const port = rig.fleet.awake('ingest')[0]?.port;
  if (port === undefined) return 0;
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/fraud/transactions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    // Whether it was taken is unknown: it is posted again.
    return 0;
  }
};

/** Posts until the signal; what was begun is posted until it is accepted. @throws Error where it is refused for good */
export const postPayments = async (rig: Rig, signal: AbortSignal): Promise<Posts> => {
  const statuses = new Map<number, number>();
  const { ledger } = rig.feed;
  while (!signal.aborted) {
    const events = Array.from({ length: BATCH }, () => rig.feed.takePayment(PREFIX));
    const entries = events.map(event => {
      const { eventId: id, customerId: key } = event.value;
      return ledger.add({ kind: 'event', id, key, topic: TOPIC }, event);
    });
    const body = JSON.stringify(events.map(({ value }) => value));
    for (;;) {
      rig.options.signal.throwIfAborted();
      const status = await post(rig, body);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 202) break;
      if (status !== 0 && status !== 429 && status !== 503) throw new Error(`ingest answers ${status}`);
      await sleep(AGAIN_MS_MAX);
    }
    for (const { n } of entries) ledger.acknowledge(n);
    await sleep(EVERY_MS);
  }
  return { statuses };
};
