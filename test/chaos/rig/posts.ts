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

/** What was answered, over all of the clients. */
export interface Posts {
  /** Of each status that was answered, how often; 0 where there was no answer. */
  readonly statuses: Map<number, number>;
  /** Refusals for now that do not say when to come again. */
  untold: number;
}

interface Posted {
  readonly status: number;
  readonly retryAfter: string | null;
}

const NO_ANSWER: Posted = { status: 0, retryAfter: null };

const post = async (rig: Rig, body: string): Promise<Posted> => {
  const port = rig.fleet.awake('ingest')[0]?.port;
  if (port === undefined) return NO_ANSWER;
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/fraud/transactions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    await answer.arrayBuffer();
    return { status: answer.status, retryAfter: answer.headers.get('retry-after') };
  } catch {
    // Whether it was taken is unknown: it is posted again.
    return NO_ANSWER;
  }
};

/** One client, of customers of its own, whose order it keeps: one request after the other. */
const postOn = async (rig: Rig, signal: AbortSignal, posts: Posts, prefix: string): Promise<void> => {
  const { statuses } = posts;
  const { ledger } = rig.feed;
  while (!signal.aborted) {
    const events = Array.from({ length: BATCH }, () => rig.feed.takePayment(prefix));
    const entries = events.map(event => {
      const { eventId: id, customerId: key } = event.value;
      return ledger.add({ kind: 'event', id, key, topic: TOPIC }, event);
    });
    const body = JSON.stringify(events.map(({ value }) => value));
    for (;;) {
      rig.options.signal.throwIfAborted();
      const { status, retryAfter } = await post(rig, body);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 202) break;
      if (status === 503 && !(Number(retryAfter) > 0)) posts.untold++;
      if (status !== 0 && status !== 429 && status !== 503) throw new Error(`ingest answers ${status}`);
      await sleep(AGAIN_MS_MAX);
    }
    for (const { n } of entries) ledger.acknowledge(n);
    await sleep(EVERY_MS);
  }
};

/**
 * So many clients post until the signal; what was begun is posted until it is accepted.
 * @throws Error where it is refused for good
 */
const postPayments = async (rig: Rig, clients: number, signal: AbortSignal): Promise<Posts> => {
  const posts: Posts = { statuses: new Map(), untold: 0 };
  await Promise.all(Array.from({ length: clients }, (_, i) => postOn(rig, signal, posts, `h${i}-`)));
  return posts;
};

/** While something else happens. */
export const postDuring = async (
  rig: Rig,
  clients: number,
  action: () => Promise<unknown>,
): Promise<Posts> => {
  const over = new AbortController();
  const posting = postPayments(rig, clients, over.signal);
  try {
    await Promise.race([posting, action()]);
  } finally {
    over.abort();
  }
  const posts = await posting;
  const answers = [...posts.statuses].map(([status, count]) => `${status} ${count} times`);
  rig.options.say(`  answers: ${answers.join(', ')}`);
  return posts;
};
