import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { noLogger, type Logger } from '@millrace/telemetry';
import { expectedOf, openTown, publish, readVectors, someEvents, startService, until } from './town.ts';

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true });
});

interface Restored {
  readonly records: number;
  readonly entries: number;
  readonly emptied: string | undefined;
}

/** Hears what each task restored. */
function listening(): { readonly logger: Logger; readonly restored: Restored[] } {
  const restored: Restored[] = [];
  const logger: Logger = {
    ...noLogger,
    info: (fields: object, message: string) => {
      if (message === 'state restored') restored.push(fields as Restored);
    },
    child: () => logger,
  } as Logger;
  return { logger, restored };
}

const sumOf = (restored: readonly Restored[], what: 'records' | 'entries'): number =>
  restored.reduce((sum, one) => sum + one[what], 0);

/** Runs the service over two shares of the events, with `between` while it is stopped. */
async function twoLives(between: (stateDir: string) => Promise<void>): Promise<readonly Restored[]> {
  const stateDir = await mkdtemp(join(tmpdir(), 'millrace-feature-'));
  roots.push(stateDir);
  const at = await openTown();
  const events = someEvents(600);
  const scored = events.filter(({ stream }) => stream === 'transactions').length;
  const first = await startService(at, at.clock, { stateDir });
  const published = [...(await publish(at, events.slice(0, 400)))];
  const firstShare = events.slice(0, 400).filter(({ stream }) => stream === 'transactions').length;
  await until(async () => (await readVectors(at)).length >= firstShare);
  await first.stop();
  await between(stateDir);
  const { logger, restored } = listening();
  published.push(...(await publish(at, events.slice(400))));
  const second = await startService(at, at.clock, { stateDir }, logger);
  await until(async () => (await readVectors(at)).length >= scored);
  await second.stop();
  const expected = expectedOf(at.pipeline, published);
  for (const { value } of await readVectors(at))
    expect(Object.values(value.features)).toEqual([...expected.get(value.eventId)!.values]);
  await at.broker.close();
  return restored;
}

test('a second life reads its state from its folder, and the rest from the changelog', async () => {
  const restored = await twoLives(() => Promise.resolve());
  expect(sumOf(restored, 'entries')).toBeGreaterThan(50);
  expect(restored.map(({ emptied }) => emptied)).toEqual(restored.map(() => undefined));
});

test('a folder that is torn or deleted meanwhile is built again, and nothing differs', async () => {
  const restored = await twoLives(async stateDir => {
    const [group] = await readdir(stateDir);
    const tasks = await readdir(join(stateDir, group!));
    for (const [i, task] of tasks.entries()) {
      const folder = join(stateDir, group!, task);
      if (i % 2 === 0) await rm(folder, { recursive: true });
      else await truncate(join(folder, 'data.mdb'), 5_000);
    }
  });
  expect(sumOf(restored, 'records')).toBeGreaterThan(sumOf(restored, 'entries') - 1);
});
