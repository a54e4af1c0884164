import { connect } from 'node:net';
import { startIngest, KEY } from '../../../services/ingest/test/harness.ts';
import { payments } from '../samples.ts';
import { must, type Target, utf8 } from '../target.ts';
import { TROUBLE } from './avro.ts';

const ANSWER_MS_MAX = 5_000;

/** The bytes of one request on a connection of its own, and what came back. */
const exchange = (port: number, bytes: Uint8Array): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.setTimeout(ANSWER_MS_MAX, () =>
      socket.destroy(new Error('no answer, and no end of the connection')),
    );
    socket.on('data', part => (answer += part.toString('latin1')));
    socket.on('close', () => resolve(answer));
    socket.on('error', error => {
      // A request that is no HTTP may be cut off; silence is not an answer.
      if ((error as NodeJS.ErrnoException).code === undefined) reject(error);
    });
  });

const request = (headers: string, body: string): Uint8Array =>
  utf8(
    `POST /v1/fraud/transactions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n${headers}\r\n\r\n${body}`,
  );

/** Whole requests, bytes on a socket, to ingest over a broker that takes everything and keeps nothing. */
export const ingestTarget = async (): Promise<Target> => {
  const silent = { send: async () => undefined, close: async () => undefined };
  const ingest = await startIngest({}, broker => ({ ...broker, producer: async () => silent }));
  const port = ingest.service.port();
  const [event] = payments();
  const json = JSON.stringify(event);
  const length = (text: string): string => `content-length: ${Buffer.byteLength(text)}`;
  return {
    name: 'ingest',
    samples: [
      request(`content-type: application/json\r\n${length(json)}`, json),
      request(`content-type: application/x-ndjson\r\n${length(`${json}\n${json}`)}`, `${json}\n${json}`),
      request('content-type: application/json\r\ntransfer-encoding: chunked', `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`),
      utf8('GET /v1 HTTP/1.1\r\nhost: x\r\n\r\n'),
    ],
    words: [...TROUBLE, '\r\n', 'content-encoding: gzip\r\n', 'transfer-encoding: chunked\r\n', 'content-length: 99999999999\r\n', 'application/json\t', 'expect: 100-continue\r\n', '[[[[', '%00', '../', 'x-api-key: a\r\n'],
    bytesMax: 65_536,
    run: async input => {
      const answer = await exchange(port, input);
      must(!/^HTTP\/1\.1 5(?!03)/.test(answer), 'no request makes a fault of ours');
    },
    close: () => ingest.stop(),
  };
}; // prettier-ignore
