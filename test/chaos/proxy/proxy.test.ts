import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { API, type Api } from './frames.ts';
import { FaultProxy } from './proxy.ts';

/** A frame as Kafka has it: size, then kind, version and number, or only the number in an answer. */
const request = (api: Api, id: number): Buffer => {
  const frame = Buffer.alloc(12);
  frame.writeInt32BE(8, 0);
  frame.writeInt16BE(API[api], 4);
  frame.writeInt32BE(id, 8);
  return frame;
};
const answer = (id: number): Buffer => {
  const frame = Buffer.alloc(8);
  frame.writeInt32BE(4, 0);
  frame.writeInt32BE(id, 4);
  return frame;
};

let server: Server;
let proxy: FaultProxy;
/** Numbers of the requests that the server was given, in order. */
let asked: number[];
const sockets: Socket[] = [];

beforeEach(async () => {
  asked = [];
  // It answers every request with its number.
  server = createServer(socket => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += 12) {
        asked.push(bytes.readInt32BE(at + 8));
        socket.write(answer(bytes.readInt32BE(at + 8)));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  proxy = await FaultProxy.listen({ name: 'p', target: { host: '127.0.0.1', port }, speaks: 'kafka' });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  await new Promise(resolve => server.close(resolve));
});

const open = (): Socket => {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  sockets.push(socket);
  socket.on('error', () => socket.destroy());
  return socket;
};
const client = async (): Promise<Socket> => {
  const socket = open();
  await once(socket, 'connect');
  return socket;
};
const closed = (socket: Socket): Promise<void> =>
  new Promise(resolve => socket.once('close', () => resolve()));
const numbers = async (socket: Socket, count: number): Promise<number[]> => {
  const found: number[] = [];
  for await (const bytes of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (let at = 0; at + 8 <= bytes.length; at += 8) found.push(bytes.readInt32BE(at + 4));
    if (found.length >= count) break;
  }
  return found;
};
const untilAsked = async (count: number): Promise<void> => {
  while (asked.length < count) await new Promise(resolve => setTimeout(resolve, 5));
};

describe('the proxy', () => {
  test('passes frames on as they are, in pieces or many at once', async () => {
    const socket = await client();
    const bytes = Buffer.concat([request('fetch', 1), request('endTxn', 2), request('fetch', 3)]);
    socket.write(bytes.subarray(0, 5));
    await new Promise(resolve => setTimeout(resolve, 10));
    socket.write(bytes.subarray(5));
    expect(await numbers(socket, 3)).toEqual([1, 2, 3]);
  });

  test('loses an answer and what is behind it, as no network leaves out bytes between others', async () => {
    proxy.rule({ how: 'lose', api: 'endTxn', count: 1 });
    const socket = await client();
    const seen: number[] = [];
    socket.on('data', (bytes: Buffer) => {
      for (let at = 0; at + 8 <= bytes.length; at += 8) seen.push(bytes.readInt32BE(at + 4));
    });
    socket.write(Buffer.concat([request('fetch', 1), request('endTxn', 2), request('endTxn', 3)]));
    await untilAsked(3);
    // The server still gets what is sent, and another connection its answers: the rule is used up.
    socket.write(request('fetch', 4));
    await untilAsked(4);
    const other = await client();
    other.write(request('endTxn', 5));
    expect(await numbers(other, 1)).toEqual([5]);
    expect(seen).toEqual([1]);
    expect(proxy.applied).toBe(1);
  });

  test('breaks off in the midst of an answer', async () => {
    proxy.rule({ how: 'cut', count: 1 });
    const socket = await client();
    const chunks: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => chunks.push(bytes));
    socket.write(Buffer.concat([request('fetch', 1), request('fetch', 2), request('fetch', 3)]));
    await closed(socket);
    // Half of the first, and nothing of those behind it.
    expect(Buffer.concat(chunks).length).toBeLessThan(8);
    expect(asked).toEqual([1, 2, 3]);
  });

  test('brings a request late, also when its sender has gone', async () => {
    proxy.rule({ how: 'late', api: 'endTxn', count: 1, lateMs: 100 });
    const socket = await client();
    socket.write(request('endTxn', 7));
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(asked).toEqual([]);
    socket.destroy();
    await untilAsked(1);
    expect(asked).toEqual([7]);
  });

  test('holds everything, and lets it go again; refuses; resets', async () => {
    const socket = await client();
    proxy.mode = 'hold';
    socket.write(request('fetch', 1));
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(asked).toEqual([]);
    proxy.mode = 'pass';
    expect(await numbers(socket, 1)).toEqual([1]);

    proxy.mode = 'refuse';
    await closed(open());
    const ended = closed(socket);
    expect(proxy.reset()).toBe(1);
    await ended;
  });

  test('takes no rule about requests where the server does not speak Kafka', async () => {
    const other = await FaultProxy.listen({
      name: 'db',
      target: { host: '127.0.0.1', port: 1 },
      speaks: 'anything',
    });
    expect(() => other.rule({ how: 'lose', api: 'endTxn', count: 1 })).toThrow('db does not speak Kafka');
    await other.close();
  });
});
