import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { confluentRegistry, IncompatibleSchema, RegistryUnavailable } from '@millrace/avro';
import { systemClock } from '@millrace/telemetry';
import { must, type Target, utf8 } from '../target.ts';
import { TROUBLE } from './avro.ts';

const STATUSES = [200, 200, 200, 404, 409, 422, 500, 302, 204];

/** Answers of a registry that was taken over: any status, any bytes. */
export const registryTarget = async (): Promise<Target> => {
  let answer: Uint8Array = new Uint8Array();
  const server = createServer((request, response) => {
    request.resume();
    const status = STATUSES[(answer[0] ?? 0) % STATUSES.length]!;
    response.writeHead(status, { location: 'http://127.0.0.1:1/', 'content-type': 'application/json' });
    response.end(answer.subarray(1));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = { url, clock: systemClock, timeoutMs: 5_000, retry: { retryCountMax: 0 } };
  // One client for all, so that its sockets are few; a schema that is found is kept, so each input has its own id.
  const registry = confluentRegistry(options);
  let id = 0;
  const schema = '{"type":"record","name":"R","fields":[]}';
  return {
    name: 'registry',
    samples: ['\u0000{"schema":"\\"int\\""}', '\u0000{"id":1,"version":2,"schema":"\\"int\\""}', '\u0000{"is_compatible":false,"messages":["no"]}', '\u0001{"error_code":40403,"message":"none"}'].map(utf8),
    words: [...TROUBLE, '"schema":', '"id":', '1e400', '-1', 'null', '[', '{', '"messages":[{"toString":1}]'],
    bytesMax: 65_536,
    run: async input => {
      answer = input;
      const asked: readonly (() => Promise<unknown>)[] = [
        () => registry.schemaById(++id % 1_000_000),
        () => registry.latest('s'),
        () => registry.idOf('s', schema),
        () => registry.register('s', schema),
        () => registry.whyIncompatible('s', schema),
      ];
      const ask = asked[id % asked.length]!;
      id++;
      try {
        const found = await ask();
        must(found === undefined || ['string', 'number', 'object'].includes(typeof found), 'an answer has a form');
      } catch (error) {
        if (!(error instanceof RegistryUnavailable) && !(error instanceof IncompatibleSchema)) throw error;
      }
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}; // prettier-ignore
