import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isAlive, isOurs } from '../../src/children/alive.ts';
import { type Program, startGuarded } from '../../src/children/guard.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-guard-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const program = (script: string, more: Partial<Program> = {}): Program => ({
  name: 'subject',
  command: '/bin/sh',
  args: ['-c', script],
  logFile: join(folder, 'subject.log'),
  workingDirectory: folder,
  environment: { PATH: process.env['PATH'] },
  stopSignal: 'TERM',
  stopGraceS: 1,
  token: `token-of-${folder}`,
  ...more,
});

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(20);
}

async function untilLogSays(text: string): Promise<void> {
  while (!(await readFile(join(folder, 'subject.log'), 'utf8')).includes(text)) await sleep(20);
}

test('what the program says is in its log, and its exit code is reported', async () => {
  const child = await startGuarded(program('echo out; echo err >&2; exit 7'));
  expect(await child.ended).toBe(7);
  expect(await readFile(child.logFile, 'utf8')).toBe('out\nerr\n');
});

test('stop ends the program and its guard', async () => {
  const child = await startGuarded(program('exec sleep 600'));
  expect(await isOurs(child.guardPid, `token-of-${folder}`)).toBe(true);
  expect(isAlive(child.pid)).toBe(true);
  await child.stop();
  await child.stop();
  expect(isAlive(child.pid)).toBe(false);
  expect(await isOurs(child.guardPid, `token-of-${folder}`)).toBe(false);
});

test('the program is asked with its own signal', async () => {
  // Not a shell: one that is started in the background cannot listen to INT.
  const listening = `process.on('SIGINT', () => { console.log('asked'); process.exit(3); });
    setInterval(() => {}, 1000); console.log('up');`;
  const child = await startGuarded(
    program('', { command: process.execPath, args: ['-e', listening], stopSignal: 'INT', stopGraceS: 20 }),
  );
  await untilLogSays('up');
  await child.stop();
  expect(await child.ended).toBe(3);
  expect(await readFile(child.logFile, 'utf8')).toContain('asked');
});

test('a program that ignores the request is killed after the grace', async () => {
  const child = await startGuarded(
    program(`trap '' TERM; echo up; while :; do sleep 0.05; done`, { stopGraceS: 0.2 }),
  );
  await untilLogSays('up');
  await child.stop();
  expect(await child.ended).toBe(137);
  expect(isAlive(child.pid)).toBe(false);
});

interface OtherProcess {
  readonly pid: number;
  readonly guardPid: number;
  readonly kill: () => void;
  /** Its exit code and signal. */
  readonly ended: Promise<unknown[]>;
}

/** Runs `then` in a process of its own after it has started a guarded sleep, whose pids it tells us first. */
async function inOtherProcess(then: string): Promise<OtherProcess> {
  const door = join(import.meta.dirname, '../../src/children/guard.ts');
  const script = `
    import { startGuarded } from ${JSON.stringify(door)};
    const child = await startGuarded(${JSON.stringify(program('exec sleep 600'))});
    process.stdout.write(JSON.stringify({ pid: child.pid, guardPid: child.guardPid }) + '\\n');
    ${then}`;
  const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(owner, 'exit');
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  const pids = JSON.parse(line.toString()) as { pid: number; guardPid: number };
  return { ...pids, kill: () => owner.kill('SIGKILL'), ended };
}

test('kill -9 of the owner ends the program', async () => {
  const { pid, guardPid, kill } = await inOtherProcess('setInterval(() => {}, 1000);');
  expect(isAlive(pid)).toBe(true);
  kill();
  await untilGone(pid);
  await untilGone(guardPid);
});

test('a released program outlives its owner, and ends when its guard is asked to', async () => {
  const { pid, guardPid } = await inOtherProcess('await child.release();');
  await sleep(300);
  expect(isAlive(pid)).toBe(true);
  process.kill(guardPid, 'SIGTERM');
  await untilGone(pid);
});

test('a released program can still be stopped by its owner', async () => {
  const { pid, guardPid, ended } = await inOtherProcess('await child.release(); await child.stop();');
  expect(await ended).toEqual([0, null]);
  expect(isAlive(pid)).toBe(false);
  expect(isAlive(guardPid)).toBe(false);
});
