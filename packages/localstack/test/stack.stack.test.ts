import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from '@jest/globals';
import { noStack, stackAddresses, stackTest } from '../../../test/jest/stack.ts';
import { testUnless } from '../../../test/jest/skip.ts';
import { isAlive } from '../src/children/alive.ts';
import { type Stack, stackStatus, startPostgres, startStack, stopStack } from '../src/index.ts';
import { chooseWay } from '../src/ways.ts';

/** These start processes of their own, also where the shared stack is somebody else's. */
const { way, reasons } = await chooseWay(process.env, ['jvm']);
const ownStackTest = testUnless(noStack ?? (way === undefined ? reasons.join('; ') : undefined));
const START_MS = 90_000;

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-stack-'));
  // Else, for root, the database would lie elsewhere, where nobody removes it after a kill.
  await chmod(directory, 0o755);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Asks PostgreSQL for 1 in its own words: startup message, simple query. Resolves with the bytes of the answer. */
async function selectOne(url: string): Promise<string> {
  const { hostname, port, username, pathname } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const startup = Buffer.from(`\0\0\0\0\0\x03\0\0user\0${username}\0database\0${pathname.slice(1)}\0\0`);
  startup.writeUInt32BE(startup.length, 0);
  const query = Buffer.from('Q\0\0\0\0SELECT 40 + 2\0');
  query.writeUInt32BE(query.length - 1, 1);
  const end = Buffer.from('X\0\0\0\x04');
  socket.write(Buffer.concat([startup, query, end]));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await sleep(50);
}

const options = () => ({ ways: ['jvm'] as const, directory, environment: process.env });

stackTest('the shared stack answers, and refuses incompatible schemas by default', async () => {
  const { registry, postgres } = stackAddresses();
  const response = await fetch(`${registry}/config`);
  expect(await response.json()).toEqual({ compatibilityLevel: 'BACKWARD' });
  expect(await selectOne(postgres)).toContain('SELECT 1');
});

ownStackTest(
  'a stack starts, is recorded, refuses a second one beside it, and leaves nothing when it stops',
  async () => {
    const stack = await startStack(options());
    const pids = Object.values(stack.pids);
    try {
      expect(Object.keys(stack.pids).sort()).toEqual(['kafka-1', 'postgres', 'registry']);
      expect(pids.every(isAlive)).toBe(true);
      expect((await fetch(`${stack.registry}/subjects`)).status).toBe(200);
      expect(await selectOne(stack.postgres)).toContain('42');
      expect(await stackStatus(directory)).toMatchObject({
        way: 'jvm',
        kept: false,
        answers: { kafka: true, registry: true, postgres: true },
        pids: stack.pids,
      });
      await expect(startStack(options())).rejects.toThrow('running in');
    } finally {
      await stack.stop();
    }
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await stackStatus(directory)).toBeUndefined();
    expect(await readdir(directory)).toEqual(['logs']);
  },
  START_MS,
);

ownStackTest(
  'what was killed is started again, at its address and on its data',
  async () => {
    const stack = await startStack({ ...options(), parts: ['kafka', 'postgres'] });
    try {
      const before = stack.pids;
      for (const pid of Object.values(before)) process.kill(pid, 'SIGKILL');
      await Promise.all(Object.keys(before).map(name => stack.revive(name)));
      expect(Object.keys(stack.pids)).toEqual(Object.keys(before));
      expect(Object.values(stack.pids)).not.toEqual(Object.values(before));
      expect(await stackStatus(directory)).toMatchObject({
        answers: { kafka: true, postgres: true },
        pids: stack.pids,
      });
      expect(await selectOne(stack.postgres)).toContain('42');
      await expect(stack.revive('nobody')).rejects.toThrow('nobody cannot be started again here');
    } finally {
      await stack.stop();
    }
    expect(await stackStatus(directory)).toBeUndefined();
  },
  START_MS,
);

/** Starts a stack in a process of its own, and returns once it is up. */
async function stackOfOther(
  keep: boolean,
): Promise<{ stack: Stack; kill: () => void; ended: Promise<unknown> }> {
  const door = join(import.meta.dirname, '../src/index.ts');
  const script = `
    import { startStack } from ${JSON.stringify(door)};
    const options = ${JSON.stringify({ ways: ['jvm'], directory, keep, parts: ['kafka', 'postgres'] })};
    const stack = await startStack({ ...options, environment: process.env });
    process.stdout.write(JSON.stringify(stack) + '\\n');
    ${keep ? '' : 'setInterval(() => {}, 1000);'}`;
  const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(owner, 'exit');
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  return { stack: JSON.parse(line.toString()) as Stack, kill: () => owner.kill('SIGKILL'), ended };
}

ownStackTest(
  'kill -9 of the process that started a stack ends the stack',
  async () => {
    const { stack, kill } = await stackOfOther(false);
    const pids = Object.values(stack.pids);
    expect(pids.filter(isAlive)).toEqual(pids);
    kill();
    await untilGone(pids);
    expect(await stackStatus(directory)).toMatchObject({
      pids: {},
      answers: { kafka: false, postgres: false },
    });
  },
  START_MS,
);

ownStackTest(
  'a kept stack outlives its starter and is stopped by another process',
  async () => {
    const { stack, ended } = await stackOfOther(true);
    const pids = Object.values(stack.pids);
    try {
      await ended;
      expect(await stackStatus(directory)).toMatchObject({
        kept: true,
        answers: { kafka: true, registry: false, postgres: true },
      });
      expect(await selectOne(stack.postgres)).toContain('42');
    } finally {
      expect(await stopStack(directory)).toBe(true);
    }
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await stopStack(directory)).toBe(false);
  },
  START_MS,
);

ownStackTest(
  'PostgreSQL is to be had alone',
  async () => {
    const environment = { ...process.env, DATABASE_URL: undefined };
    const postgres = await startPostgres({ directory, environment });
    expect(await selectOne(postgres.url)).toContain('42');
    await postgres.stop();
    expect(isAlive(postgres.pid!)).toBe(false);
  },
  START_MS,
);
