import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { httpServer, type HttpServerOptions, Readiness, sendProblem } from '../../src/index.ts';

const metrics = { text: async () => 'up 1\n', contentType: 'text/plain' };
const options = (more: Partial<HttpServerOptions> = {}): HttpServerOptions => ({
  host: '127.0.0.1',
  port: 0,
  readiness: new Readiness(),
  metrics,
  ...more,
});

/** What a server answers to raw bytes on a socket. */
const exchange = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', part => (answer += part.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', error => (answer === '' ? reject(error) : resolve(answer)));
  });

test('livez looks at nothing else; readyz tells the reasons; metrics are text', async () => {
  const readiness = new Readiness();
  const part = { name: 'task', start: async () => undefined, stop: async () => undefined };
  readiness.expect([part]);
  const server = httpServer(options({ readiness }));
  expect((await server.app.inject('/livez')).statusCode).toBe(200);
  const waiting = await server.app.inject('/readyz');
  expect([waiting.statusCode, waiting.json()]).toEqual([
    503,
    { status: 'not ready', notReady: { task: 'starting' } },
  ]);
  readiness.started(part);
  expect((await server.app.inject('/readyz')).statusCode).toBe(200);
  expect((await server.app.inject('/metrics')).body).toBe('up 1\n');
  await server.stop(1_000);
});

test('listens on a free port, tells it in a file, and answers over a socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
  const readyFile = join(folder, 'ready.json');
  const server = httpServer(options({ readyFile }));
  await server.start(new AbortController().signal);
  const told = JSON.parse(readFileSync(readyFile, 'utf8')) as unknown;
  expect(told).toEqual({ pid: process.pid, port: server.port() });
  const answer = await fetch(`http://127.0.0.1:${server.port()}/livez`);
  expect(await answer.json()).toEqual({ status: 'live' });
  await server.stop(1_000);
  await server.stop(1_000);
  rmSync(folder, { recursive: true });
});

test('thousands of headers and slow requests are refused, and the server stays up', async () => {
  const server = httpServer(options({ limits: { requestMsMax: 300 } }));
  await server.start(new AbortController().signal);
  const headers = Array.from({ length: 8_000 }, (_, i) => `x-${i}: constructor\r\n`).join('');
  expect(await exchange(server.port(), `GET /livez HTTP/1.1\r\nhost: a\r\n${headers}\r\n`)).toMatch(
    /^HTTP\/1.1 431/,
  );
  expect(await exchange(server.port(), 'GET /livez HTTP/1.1\r\nhost: a\r\nx-slow')).toMatch(/^HTTP\/1.1 408/);
  expect((await fetch(`http://127.0.0.1:${server.port()}/livez`)).status).toBe(200);
  await server.stop(1_000);
});

test('failures are problems without inner details; bodies and prototypes are guarded', async () => {
  const server = httpServer(
    options({
      limits: { bodyBytesMax: 100 },
      routes: [
        app => {
          app.get('/fails', async () => {
            throw new Error('password of the database');
          });
          app.get('/busy', (_request, reply) =>
            sendProblem(reply, { status: 503, title: 'Busy', detail: 'Wait.' }, 2),
          );
          app.post('/echo', async request => request.body);
        },
      ],
    }),
  );
  const { app } = server;
  const failed = await app.inject('/fails');
  expect(failed.statusCode).toBe(500);
  expect(failed.headers['content-type']).toContain('application/problem+json');
  expect(failed.body).not.toContain('password');
  const busy = await app.inject('/busy');
  expect([busy.statusCode, busy.headers['retry-after'], busy.json()]).toEqual([
    503,
    '2',
    { type: 'about:blank', status: 503, title: 'Busy', detail: 'Wait.' },
  ]);
  const post = (payload: string, type = 'application/json') =>
    app.inject({ method: 'POST', url: '/echo', payload, headers: { 'content-type': type } });
  expect((await post('{"a":1}')).json()).toEqual({ a: 1 });
  expect((await post('{"__proto__":{"a":1}}')).statusCode).toBe(400);
  expect((await post('{"constructor":{"prototype":1}}')).statusCode).toBe(400);
  expect((await post(`"${'x'.repeat(200)}"`)).statusCode).toBe(413);
  expect((await post('x', 'text/html')).statusCode).toBe(415);
  expect((await app.inject('/nowhere')).statusCode).toBe(404);
  await server.stop(1_000);
});

test('connections past the limit are not let in', async () => {
  const server = httpServer(options({ limits: { connectionsMax: 1 } }));
  await server.start(new AbortController().signal);
  const first = connect(server.port(), '127.0.0.1');
  try {
    await new Promise(resolve => first.once('connect', resolve));
    expect(await exchange(server.port(), 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')).toBe('');
  } finally {
    first.destroy();
    await server.stop(1_000);
  }
});
