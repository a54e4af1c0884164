/** Millrace on a stack of its own, with a proxy before Kafka, the registry and the database, each of which can be cut off. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIRST_MODEL_VERSION, openWorld, prepare, startServices, warmUp } from '@millrace/cli';
import { startStack } from '@millrace/localstack';
import { fraud } from '@millrace/pipelines';
import { openDatabase } from '@millrace/sink';
import { systemClock } from '@millrace/telemetry';
import { FaultProxy } from '../chaos/proxy/proxy.ts';
import { noStack, uniqueName } from '../jest/stack.ts';
import { API_KEY, eventually, type Journey, type Payment, postEvents } from './world.ts';

const SEND_MS_MAX = 2_000;
const AGAIN_MS = 100;

/** Why there can be no such stage. */
export const noStage =
  noStack ?? (process.env['KAFKA_BOOTSTRAP_SERVERS'] ? 'a stack that is not ours is not cut off' : undefined);

export interface Stage extends Journey {
  readonly kafka: FaultProxy;
  readonly registry: FaultProxy;
  readonly database: FaultProxy;
  /** Past the proxy. */
  readonly databaseUrl: string;
  /** Holds the logs of the services. */
  readonly directory: string;
}

const proxyOf = async (name: string, url: string): Promise<FaultProxy> => {
  const { hostname, port } = new URL(url);
  return FaultProxy.listen({ name, target: { host: hostname, port: Number(port) }, speaks: 'anything' });
};

const through = (proxy: FaultProxy, url: string): string => {
  const address = new URL(url);
  address.port = String(proxy.port);
  return address.href.replace(/\/$/, '');
};

export const readyOf = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`)).text();

const portIn = (readyFile: string): number | undefined => {
  try {
    return (JSON.parse(readFileSync(readyFile, 'utf8')) as { port: number }).port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

export interface StageOptions {
  /** Called with the registry away, when every service listens; it is there again once this has settled. */
  readonly withoutRegistry: (ports: Readonly<Record<string, number>>) => Promise<void>;
}

const NAMES = ['ingest', 'feature', 'inference', 'sink'] as const;

export const setStage = async ({ withoutRegistry }: StageOptions): Promise<Stage> => {
  const closing: (() => Promise<unknown> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).toReversed()) await step();
  };
  const closed = (proxy: FaultProxy): FaultProxy => {
    closing.push(() => proxy.close());
    return proxy;
  };
  try {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-stage-'));
    chmodSync(directory, 0o755); // PostgreSQL runs as another user where we are root.
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
    let kafka: FaultProxy | undefined;
    const front = async (port: number): Promise<number> => {
      kafka = closed(await proxyOf('kafka', `kafka://127.0.0.1:${port}`));
      return kafka.port;
    };
    const stack = await startStack({ ways: ['jvm'], directory, environment: process.env, warmUp, front });
    closing.push(() => stack.stop());
    const registry = closed(await proxyOf('registry', stack.registry));
    const database = closed(await proxyOf('database', stack.postgres));
    const world = openWorld(stack);
    closing.push(() => world.broker.close());
    await prepare(world, [fraud], () => FIRST_MODEL_VERSION);

    registry.mode = 'refuse';
    const said: string[] = [];
    const stopping = new AbortController();
    const starting = startServices({
      addresses: {
        kafka: stack.kafka,
        registry: through(registry, stack.registry),
        postgres: through(database, stack.postgres),
      },
      directory,
      environment: {
        ...process.env,
        MILLRACE_PIPELINES: fraud.name,
        INGEST_SEND_MS_MAX: String(SEND_MS_MAX),
        SINK_ANSWER_TIMEOUT_S: '3',
      },
      clock: systemClock,
      signal: stopping.signal,
      apiKey: API_KEY,
      token: uniqueName('millrace-stage'),
      say: line => said.push(line),
    });
    closing.push(async () => {
      stopping.abort(new Error('the test is over'));
      await (await starting.catch(() => undefined))?.stop();
    });
    const ports = await eventually(
      async () => NAMES.map(name => [name, portIn(join(directory, `${name}.ready.json`))] as const),
      found => found.every(([, port]) => port !== undefined),
      found => JSON.stringify(found),
    );
    await withoutRegistry(Object.fromEntries(ports) as Record<string, number>);
    registry.heal();
    const services = await starting;
    return {
      world,
      services,
      said,
      directory,
      kafka: kafka!,
      registry,
      database,
      databaseUrl: stack.postgres,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Sends as a careful client does: the same again until it is accepted. @returns how often it was told to come again */
export const insist = async (stage: Stage, events: readonly Payment[]): Promise<number> => {
  for (let refused = 0; ; refused++) {
    // No connection: ingest is just being started again.
    const answer = await postEvents(stage, JSON.stringify(events)).catch(() => undefined);
    if (answer?.status === 202) return refused;
    if (answer !== undefined && answer.headers.get('retry-after') === null)
      throw new Error(`${answer.status} without Retry-After: ${await answer.text()}`);
    await systemClock.sleep(AGAIN_MS);
  }
};

/** Rows of these events in the database, asked past its proxy. */
export const rowsOf = async ({ databaseUrl }: Stage, events: readonly Payment[]): Promise<number> => {
  const opened = openDatabase({ url: databaseUrl, connectionsMax: 4, connectTimeoutS: 10 });
  try {
    const found = await Promise.all(events.map(({ eventId }) => opened.predictions(fraud.name, eventId)));
    return found.flat().length;
  } finally {
    await opened.close();
  }
};

/** How many lines a service logged since, by second; a second without one is left out. */
export const linesSince = ({ directory }: Stage, name: string, fromMs: number): readonly number[] => {
  const counts = new Map<number, number>();
  const lines = readFileSync(join(directory, 'logs', `${name}.log`), 'utf8').split('\n');
  for (const line of lines.filter(text => text.startsWith('{'))) {
    const atMs = new Date((JSON.parse(line) as { time: string }).time).getTime();
    if (atMs < fromMs) continue;
    const second = Math.floor(atMs / 1_000);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  return [...counts.values()];
};
