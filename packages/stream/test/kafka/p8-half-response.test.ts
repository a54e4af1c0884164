import { expect, test } from '@jest/globals';
import { answer, ask, peer } from './patch/connection.ts';

test('half a response of a connection that ended is not the beginning of the next', async () => {
  let requests = 0;
  const { connection, close } = await peer((socket, request) => {
    const whole = answer(request, 'a whole answer');
    if (requests++ === 0) socket.end(whole.subarray(0, 10));
    else socket.write(whole);
  });
  try {
    await connection.connect();
    await expect(connection.send(ask())).rejects.toThrow(/[Cc]losed/u);
    await connection.connect();
    await expect(connection.send(ask())).resolves.toBe('a whole answer');
  } finally {
    await close();
  }
});
