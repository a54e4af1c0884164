import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';

const SERVICE = fileURLToPath(new URL('fixtures/service.ts', import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

const begin = (flags: string[], env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [SERVICE, ...flags], { env: { ...process.env, ...env } });
  children.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', part => (said.out += String(part)));
  child.stderr.on('data', part => (said.err += String(part)));
  const exit = once(child, 'exit').then(([code]) => code as number);
  const heard = async (text: string): Promise<void> => {
    while (!said.out.includes(text)) await once(child.stdout, 'data');
  };
  return { child, said, exit, heard };
};

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);

test('SIGTERM stops it in good order, with 0', async () => {
  const { child, said, exit, heard } = begin([]);
  await heard('listening');
  const port = lines(said.out).find(line => line['msg'] === 'listening')!['port'];
  expect((await fetch(`http://127.0.0.1:${String(port)}/readyz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
  expect(lines(said.out).map(line => line['msg'])).toEqual(['listening', 'stopping', 'stopped']);
});

test('a part that cannot start ends it with 1, the reason logged once and without its password', async () => {
  const { said, exit } = begin(['--does', 'fail']);
  expect(await exit).toBe(1);
  expect(said.out.match(/no broker/g)).toHaveLength(2); // message and stack of one line
  expect(lines(said.out).filter(line => line['level'] === 'error')).toHaveLength(1);
  expect(said.out).not.toContain('hunter2');
});

test('a warning of Node is a line of the log, and nothing is printed beside', async () => {
  const { child, said, exit, heard } = begin(['--does', 'warn']);
  await heard('a warning of Node');
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
  expect(lines(said.out)).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      warning: 'MaxListenersExceededWarning',
      error: 'eleven listeners',
    }),
  );
  expect(said.err).toBe('');
});

test('a forgotten rejection ends it with 1', async () => {
  const { said, exit } = begin(['--does', 'reject']);
  expect(await exit).toBe(1);
  expect(said.out).toContain('forgotten');
});

test('a part that hangs is given up at the deadline, with 1; a second signal ends at once', async () => {
  const slow = begin(['--does', 'hang', '--stop-deadline-ms', '100']);
  const twice = begin(['--does', 'hang']);
  await Promise.all([slow.heard('listening'), twice.heard('listening')]);
  slow.child.kill('SIGTERM');
  twice.child.kill('SIGINT');
  await twice.heard('stopping');
  twice.child.kill('SIGINT');
  expect(await slow.exit).toBe(1);
  expect(await twice.exit).toBe(130);
});

test('wrong settings end it with 2 and every mistake; settings are shown without secrets', async () => {
  const wrong = begin(['--port', 'x', '--stop-deadline-ms', '1'], { LOG_LEVEL: 'loud' });
  expect(await wrong.exit).toBe(2);
  expect(wrong.said.err).toContain('3 mistakes');
  const shown = begin(['--print-config', '--port', '9'], { TOKEN: 'hunter2' });
  expect(await shown.exit).toBe(0);
  expect(JSON.parse(shown.said.out)).toMatchObject({ port: 9, token: '[redacted]', logLevel: 'info' });
  const help = begin(['--help']);
  expect(await help.exit).toBe(0);
  expect(help.said.out).toContain('--stop-deadline-ms');
});
