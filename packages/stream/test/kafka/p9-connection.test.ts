import { expect, test } from '@jest/globals';
import { answer, ask, peer } from './patch/connection.ts';

test('callers at the same time share one socket', async () => {
  const { connection, sockets, close } = await peer((socket, request) =>
    socket.write(answer(request, 'yes')),
  );
  try {
    await Promise.all([connection.connect(), connection.connect(), connection.connect()]);
    await connection.send(ask());
    expect(sockets).toHaveLength(1);
  } finally {
    await close();
  }
});

test('a connection that did not answer in time is never used again', async () => {
  let silent = true;
  const { connection, sockets, close } = await peer((socket, request) => {
    if (!silent) socket.write(answer(request, 'yes'));
  });
  try {
    await connection.connect();
    await expect(connection.send(ask())).rejects.toThrow(/timed out/u);
    expect(connection.isConnected()).toBe(false);
    silent = false;
    await connection.connect();
    await expect(connection.send(ask())).resolves.toBe('yes');
    expect(sockets).toHaveLength(2);
  } finally {
    await close();
  }
});
