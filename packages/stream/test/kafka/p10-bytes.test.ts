import { connect, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { answer, ask, peer } from './patch/connection.ts';

const ANSWERS = 40;

test.each([
  ['byte by byte', 1],
  ['in pieces that end anywhere', 7],
  ['all at once', Infinity],
])('answers that come %s are whole, in memory of their own', async (_, pieceBytes) => {
  const waiting: Buffer[] = [];
  const { connection, close } = await peer(
    (socket, request) => {
      // Requests may come together: each begins with its length.
      for (let at = 0; at < request.length; at += 4 + request.readInt32BE(at))
        waiting.push(request.subarray(at));
      if (waiting.length < ANSWERS) return;
      const all = Buffer.concat(waiting.map((one, i) => answer(one, `answer ${i} ${'x'.repeat(i * 3)}`)));
      for (let at = 0; at < all.length; at += pieceBytes) socket.write(all.subarray(at, at + pieceBytes));
    },
    ({ host, port, onConnect }) => {
      // As ours: it reads into the same few bytes again and again.
      const buffer = Buffer.alloc(64);
      const socket: Socket = connect(
        { host, port, onread: { buffer, callback: count => socket.emit('data', buffer.subarray(0, count)) } },
        onConnect,
      );
      return socket.setNoDelay(true);
    },
  );
  try {
    await connection.connect();
    const answers = await Promise.all(Array.from({ length: ANSWERS }, () => connection.send(ask())));
    expect(answers).toEqual(Array.from({ length: ANSWERS }, (__, i) => `answer ${i} ${'x'.repeat(i * 3)}`));
  } finally {
    await close();
  }
});

test('bytes that are encoded already are sent as an encoder would send them', async () => {
  const seen: Buffer[] = [];
  const { connection, close } = await peer((socket, request) => {
    seen.push(request);
    socket.write(answer(request, 'yes'));
  });
  const text = Buffer.from('what was encoded elsewhere');
  try {
    await connection.connect();
    await connection.send(ask(text));
    await connection.send(ask(text, 'raw'));
  } finally {
    await close();
  }
  const [encoded, raw] = seen.map(one => Buffer.concat([one.subarray(0, 8), one.subarray(12)]));
  expect(encoded!.includes(text)).toBe(true);
  // But for the number of the request.
  expect(raw).toEqual(encoded);
});

test('an answer of an absurd length ends the connection, and says what is likely', async () => {
  const { connection, close } = await peer(socket => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  try {
    await connection.connect();
    await expect(connection.send(ask())).rejects.toThrow(
      /does not speak Kafka's protocol here, or wants TLS/u,
    );
    expect(connection.isConnected()).toBe(false);
  } finally {
    await close();
  }
});
