/**
 * The whole of Millrace for a test: its services as processes, on the stack that the tests share. Topics, groups and
 * tables are those of the fraud pipeline unless another is named, so a test names its own events, and reads from where the topics ended before.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Bad, openCodec } from '@millrace/avro';
import {
  decoded, FIRST_MODEL_VERSION, openWorld, prepare, SERVICE_NAMES, type Services, startServices, type World,
} from '@millrace/cli'; // prettier-ignore
import {
  catalogue,
  type FeaturesValue,
  predictionId,
  type PredictionValue,
  topicsOf,
} from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import type { PartitionOffset } from '@millrace/stream';
import { stackAddresses, uniqueName } from '../jest/stack.ts';

export const API_KEY = 'a-key-of-the-journey-tests';
export const TOPICS = topicsOf(fraud);
const PATIENCE_MS_MAX = 60_000;
const POLL_MS = 100;

export interface Journey {
  readonly world: World;
  readonly services: Services;
  /** What the services said of themselves, such as that one was started again. */
  readonly said: readonly string[];
  close(): Promise<void>;
}

const MUTANTS = pathToFileURL(join(import.meta.dirname, '../mutants/register.ts')).href;
/** What a process of ours must have around it to run with a mutant. */
export const planted = (mutant: string): Readonly<Record<string, string>> => ({
  MILLRACE_MUTANT: mutant,
  NODE_OPTIONS: `--import=${MUTANTS}`,
});

/**
 * Starts services and resolves when they are ready. A dead member is missed after seconds, so that tests end soon.
 * With a mutant of `test/mutants` they run with that change.
 * @param pipelines what they serve
 */
export const startJourney = async (
  names: readonly (typeof SERVICE_NAMES)[number][] = SERVICE_NAMES,
  {
    mutant,
    pipelines = [fraud],
  }: { readonly mutant?: string; readonly pipelines?: readonly Pipeline[] } = {},
): Promise<Journey> => {
  const addresses = stackAddresses();
  const directory = mkdtempSync(join(tmpdir(), 'millrace-journey-'));
  const world = openWorld(addresses);
  const said: string[] = [];
  const stopping = new AbortController();
  const end = async (services?: Services): Promise<void> => {
    stopping.abort(new Error('the test is over'));
    await services?.stop();
    await world.broker.close();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await prepare(world, pipelines, () => FIRST_MODEL_VERSION);
    const services = await startServices({
      names,
      addresses,
      directory,
      environment: {
        ...process.env,
        MILLRACE_PIPELINES: pipelines.map(({ name }) => name).join(','),
        ...(mutant === undefined ? {} : planted(mutant)),
        FEATURE_SESSION_TIMEOUT_MS: '4000',
        INFERENCE_SESSION_TIMEOUT_MS: '4000',
      },
      clock: world.clock,
      signal: stopping.signal,
      apiKey: API_KEY,
      token: uniqueName('millrace-journey'),
      say: line => said.push(line),
    });
    return { world, services, said, close: () => end(services) };
  } catch (error) {
    await end();
    throw error;
  }
};

export type Payment = Readonly<Record<'eventId' | 'customerId' | 'terminalId', string>> & {
  readonly txAt: number;
  readonly amount: number;
  readonly sequence: number;
};

/** Payments that no other test has, a second apart, the newest of them now. */
export const payments = (count: number, customers: number, prefix = uniqueName('j')): readonly Payment[] => {
  const newestMs = Date.now();
  return Array.from({ length: count }, (_, i) => ({
    eventId: `${prefix}-e${i}`,
    customerId: `${prefix}-c${i % customers}`,
    terminalId: `${prefix}-t${i % Math.ceil(customers / 3)}`,
    txAt: newestMs - (count - 1 - i) * 1000,
    amount: 10 + (i % 90),
    sequence: i,
  }));
};

export const answerId = (eventId: string): string =>
  predictionId(fraud.name, eventId, 0, 'live', 'answer', 0);

export const postEvents = (
  { services }: Journey,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(`http://127.0.0.1:${services.port('ingest')}/v1/fraud/transactions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json', ...headers },
    body,
  });

export type Ends = readonly PartitionOffset[];
export const endsOf = (world: World, topic: string): Promise<Ends> => world.broker.admin.endOffsets(topic);

/** Values of a topic that were committed since `from`, as long as they can be read. */
const valuesSince = async <T>(world: World, topic: string, from: Ends): Promise<readonly T[]> => {
  const codec = await openCodec<T>(world.registry, catalogue([fraud]).find(t => t.name === topic)!.value!);
  const found: T[] = [];
  for await (const { value } of decoded(
    world.broker.read({ from, until: await endsOf(world, topic) }),
    codec,
  ))
    if (value !== null && !(value instanceof Bad)) found.push(value);
  return found;
};

export const predictionsSince = (world: World, from: Ends): Promise<readonly PredictionValue[]> =>
  valuesSince<PredictionValue>(world, TOPICS.predictions, from);
export const vectorsSince = (world: World, topic: string, from: Ends): Promise<readonly FeaturesValue[]> =>
  valuesSince<FeaturesValue>(world, topic, from);

/** Asks until the answer will do. @throws where it never does, with the last answer told by `tell` */
export const eventually = async <T>(
  ask: () => Promise<T>,
  isEnough: (answer: T) => boolean,
  tell: (answer: T) => string,
  withinMs = PATIENCE_MS_MAX,
  pollMs = POLL_MS,
): Promise<T> => {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (isEnough(answer)) return answer;
    if (Date.now() > end) throw new Error(`not within ${withinMs / 1000} s: ${tell(answer)}`);
    await new Promise(resolve => setTimeout(resolve, pollMs));
  }
};

/** The predictions of these events, once each of them has one. */
export const answersTo = async (
  world: World,
  from: Ends,
  eventIds: readonly string[],
): Promise<readonly PredictionValue[]> => {
  const wanted = new Set(eventIds);
  return eventually(
    async () => (await predictionsSince(world, from)).filter(({ eventId }) => wanted.has(eventId)),
    found => new Set(found.map(({ eventId }) => eventId)).size === wanted.size,
    found => `${new Set(found.map(({ eventId }) => eventId)).size} of ${wanted.size} events have an answer`,
  );
};
