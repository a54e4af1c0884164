/** A night that begins by itself: `millrace batch schedule` as processes, on real Kafka, at the next full minute. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Bad, openCodec } from '@millrace/avro';
import { decoded, FIRST_MODEL_VERSION, openWorld, prepare, wholeTopic, type World } from '@millrace/cli';
import { catalogue, MILLRACE_TOPICS, type Run } from '@millrace/contracts';
import { credit } from '@millrace/pipelines';
import { describeUnless } from '../jest/skip.ts';
import { noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { publishClients } from './clients.ts';
import { eventually } from './world.ts';

const MAIN = join(import.meta.dirname, '../../services/cli/src/main.ts');
const CLIENTS = 2_000;
const LIMIT_MS = 240_000;
/** Up to the next full minute, and the night. */
const PATIENCE_MS = 120_000;

interface Scheduler {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly port: number;
}

/** What somebody called so has written of scheduled nights, in its order. */
const recordsOf = async (world: World, by: string): Promise<readonly Run[]> => {
  const { value } = catalogue([]).find(({ name }) => name === MILLRACE_TOPICS.runs)!;
  const codec = await openCodec<Run>(world.registry, value!);
  const found: Run[] = [];
  for await (const { value: run } of decoded(await wholeTopic(world.broker, MILLRACE_TOPICS.runs), codec))
    if (run !== null && !(run instanceof Bad) && run.by === by) found.push(run);
  return found;
};

const metricsOf = async (port: number): Promise<ReadonlyMap<string, number>> => {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return new Map(
    text.split('\n').flatMap(line => {
      const [, series, value] = /^(millrace_night_\S+) (\S+)$/.exec(line) ?? [];
      return series === undefined ? [] : [[series, Number(value)] as const];
    }),
  );
};

describeUnless(noStack)('a schedule on Kafka', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-schedule-'));
  const children: ChildProcess[] = [];
  let world: World;

  const start = async (by: string): Promise<Scheduler> => {
    const { kafka, registry } = stackAddresses();
    const readyFile = join(directory, `${by}.json`);
    const args = ['batch', 'schedule', '--pipeline', 'credit', '--cron', '* * * * *', '--by', by, '--port', '0'];
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: kafka, SCHEMA_REGISTRY_URL: registry, HOST: '127.0.0.1', MILLRACE_READY_FILE: readyFile },
      stdio: 'ignore',
    });
    children.push(child);
    const ended = new Promise<number | null>(resolve => child.once('close', resolve));
    const port = await eventually(
      async () => {
        if (!existsSync(readyFile)) return undefined;
        const at = (JSON.parse(readFileSync(readyFile, 'utf8')) as { port: number }).port;
        return (await fetch(`http://127.0.0.1:${at}/readyz`)).ok ? at : undefined;
      },
      at => at !== undefined,
      () => `${by} is not ready`,
    );
    return { child, ended, port: port! };
  };

  beforeAll(async () => {
    world = openWorld(stackAddresses());
    await prepare(world, [credit], () => FIRST_MODEL_VERSION);
    await publishClients(world, uniqueName('client'), 0, CLIENTS);
  }, LIMIT_MS);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await world.broker.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('one of two schedulers begins the night at its minute, both show it, and the other takes over', async () => {
    const [one, two] = [uniqueName('one'), uniqueName('two')];
    const first = await start(one);
    const second = await start(two);
    const nights = async (by: string) => (await recordsOf(world, by)).filter(({ kind }) => kind === 'night');
    const isDone = (found: readonly Run[]): boolean => found.some(({ state }) => state === 'done');
    const found = await eventually(() => nights(one), isDone, of => JSON.stringify(of.map(({ state }) => state)), PATIENCE_MS);
    expect(found.slice(0, 3).map(({ state }) => state)).toEqual(['started', 'captured', 'done']);
    const [started, , done] = found as [Run, Run, Run];
    const due = Math.floor(started.at / 60_000) * 60_000;
    expect(started.run).toBe(`credit-at-${new Date(due).toISOString().replaceAll(/[-:]|\.000/g, '')}`);
    const { entities, scored } = JSON.parse(done.report!) as { entities: number; scored: number };
    expect(entities).toBeGreaterThanOrEqual(CLIENTS);
    expect(scored).toBe(entities);
    for (const { port } of [first, second]) {
      const metrics = await eventually(
        () => metricsOf(port),
        of => of.get('millrace_night_slots{pipeline="credit",outcome="done"}')! >= 1,
        of => JSON.stringify([...of]),
      );
      expect(metrics.get('millrace_night_last_success_timestamp_seconds{pipeline="credit"}')).toBeGreaterThanOrEqual(done.at / 1_000);
      expect(metrics.get('millrace_night_next_timestamp_seconds{pipeline="credit"}')).toBeGreaterThan(due / 1_000);
      expect(metrics.get('millrace_night_start_delay_seconds{pipeline="credit"}')).toBeLessThan(60);
    }
    // Killed, the one that leads; the other begins the next night.
    first.child.kill('SIGKILL');
    await first.ended;
    await eventually(() => nights(two), isDone, of => JSON.stringify(of.map(({ state }) => state)), PATIENCE_MS);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    // No slot was begun by both, but for one that the first was killed in.
    const begun = async (by: string) => (await nights(by)).filter(({ state }) => state === 'started').map(({ run }) => run);
    const [ofOne, ofTwo] = [await begun(one), await begun(two)];
    expect(ofOne.slice(0, -1).filter(run => ofTwo.includes(run))).toEqual([]);
  }, LIMIT_MS);
}); // prettier-ignore
