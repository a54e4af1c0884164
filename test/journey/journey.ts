/** Everything running on the shared stack: services as processes, and a client that may look at every topic. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bad, openCodec } from '@millrace/avro';
import {
  decoded,
  FIRST_MODEL_VERSION,
  openWorld,
  prepare,
  type Services,
  startServices,
  type World,
} from '@millrace/cli';
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import { fraud, pipelines } from '@millrace/pipelines';
import type { PartitionOffset } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { stackAddresses, uniqueName } from '../jest/stack.ts';

export const API_KEY = 'journey-key-for-tests';
export const TOPICS = topicsOf(fraud);
const WAIT_MS_MAX = 60_000;

export interface Journey {
  readonly world: World;
  readonly services: Services;
  readonly said: string[];
  url(service: 'ingest' | 'sink', path: string): string;
  end(): Promise<void>;
}

export const startJourney = async (): Promise<Journey> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-journey-'));
  const addresses = stackAddresses();
  const world = openWorld(addresses);
  await prepare(world, pipelines, () => FIRST_MODEL_VERSION);
  const said: string[] = [];
  const services = await startServices({
    addresses,
    directory,
    environment: process.env,
    clock: systemClock,
    signal: new AbortController().signal,
    apiKey: API_KEY,
    token: uniqueName('journey'),
    say: line => void said.push(line),
  });
  return {
    world,
    services,
    said,
    url: (service, path) => `http://127.0.0.1:${services.port(service)}${path}`,
    end: async () => {
      await services.stop();
      await world.broker.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

export const post = (
  journey: Journey,
  body: string,
  headers: Record<string, string> = {},
  path = '/v1/fraud/transactions',
) =>
  fetch(journey.url('ingest', path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}`, ...headers },
    body,
  });

/** A payment of a customer that no other test knows. */
export const payment = (eventId: string, customerId: string, changes: object = {}): object => ({
  eventId,
  txAt: '2026-01-05T12:00:00Z',
  customerId,
  terminalId: 'T1',
  amount: '12.50',
  ...changes,
});

/** Predictions behind the offsets that were the ends, until the test is satisfied or the time is up. */
export const predictionsSince = async (
  journey: Journey,
  from: readonly PartitionOffset[],
  enough: (seen: readonly PredictionValue[]) => boolean,
): Promise<readonly PredictionValue[]> => {
  const codec = await openCodec<PredictionValue>(
    journey.world.registry,
    catalogue([fraud]).find(t => t.name === TOPICS.predictions)!.value!,
  );
  const seen: PredictionValue[] = [];
  const end = AbortSignal.timeout(WAIT_MS_MAX);
  try {
    for await (const { value } of decoded(journey.world.broker.read({ from, signal: end }), codec)) {
      if (value !== null && !(value instanceof Bad)) seen.push(value);
      if (enough(seen)) break;
    }
  } catch (error) {
    if (!end.aborted) throw error;
  }
  return seen;
};

/** Calls until it gives something, for as long as it takes within reason. */
export const eventually = async <T>(call: () => Promise<T | undefined>): Promise<T> => {
  const end = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const found = await call();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error('it did not happen in time');
    await systemClock.sleep(100);
  }
};
