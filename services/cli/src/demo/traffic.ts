/** The demo's events: simulated payments and labels over HTTP, and a few that no careful producer would send. */
import { FRAUD_SIMULATION, type SimulatedEvent, simulateFraud } from '@millrace/pipelines';
import type { Clock } from '@millrace/telemetry';
import { paced } from '../publish/pace.ts';

export interface TrafficOptions {
  /** `http://host:port` of ingest. */
  readonly ingest: string;
  readonly apiKey: string;
  readonly pipeline: string;
  readonly events: number;
  readonly seed: number;
  /** Payments and labels a second. */
  readonly rate: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface TrafficCounts {
  transactions: number;
  labels: number;
}

const ATTEMPTS_MAX = 30;

/** About `events` payments; enough days that terminals have labels behind them. */
export function* demoEvents(events: number, seed: number): Generator<SimulatedEvent> {
  const days = 40;
  const customers = Math.max(20, Math.ceil(events / (days * 1.5)));
  const terminals = Math.max(10, Math.ceil(customers * 0.4));
  let left = events;
  for (const event of simulateFraud({ ...FRAUD_SIMULATION, seed, days: days * 2, customers, terminals })) {
    if (event.stream === 'transactions' && left-- === 0) return;
    yield event;
  }
}

/** Posts until accepted: 429 and 503 say when to come again, a lost connection is tried again; the ids make that safe. */
const post = async (options: TrafficOptions, stream: string, values: readonly object[]): Promise<void> => {
  const { ingest, apiKey, pipeline, clock, signal } = options;
  for (let attempt = 1; ; attempt++) {
    let why: string;
    let waitMs = 500;
    try {
      const answer = await fetch(`${ingest}/v1/${pipeline}/${stream}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
        body: JSON.stringify(values),
        signal,
      });
      if (answer.status === 202) {
        await answer.body?.cancel();
        return;
      }
      why = `${answer.status} ${await answer.text()}`;
      if (answer.status !== 429 && answer.status !== 503)
        throw new RangeError(`ingest refuses the demo's events: ${why}`);
      waitMs = Number(answer.headers.get('retry-after') ?? 1) * 1000;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RangeError) throw error;
      why = (error as Error).message;
    }
    if (attempt === ATTEMPTS_MAX)
      throw new Error(`ingest did not accept ${stream} after ${ATTEMPTS_MAX} attempts: ${why}`);
    await clock.sleep(waitMs, signal);
  }
};

const timeOf = (event: SimulatedEvent): number =>
  event.stream === 'labels' ? event.value.knownAt : event.value.txAt;

/** Sends everything at the rate; `counts` grows as batches are acknowledged. Streams keep their order. */
export const sendTraffic = async (options: TrafficOptions, counts: TrafficCounts): Promise<void> => {
  const events = demoEvents(options.events, options.seed);
  for await (const batch of paced(events, { rate: options.rate }, timeOf, options.clock, options.signal))
    for (const stream of ['labels', 'transactions'] as const) {
      const values = batch.filter(e => e.stream === stream).map(e => e.value);
      if (values.length === 0) continue;
      await post(options, stream, values);
      counts[stream] += values.length;
    }
};
