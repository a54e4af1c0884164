import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { type Broker, BrokerError, type OutRecord } from '@millrace/stream';
import { AUTH, startIngest, transaction } from '../harness.ts';

/** A broker whose acknowledgements wait until they are let through, or fail. */
const held = () => {
  const waiting: (() => void)[] = [];
  const sends: (readonly OutRecord[])[] = [];
  const state = { failing: false, holding: false };
  const wrap = (broker: Broker): Broker => ({
    ...broker,
    producer: async () => {
      const producer = await broker.producer();
      return {
        send: async records => {
          sends.push(records);
          if (state.holding) await new Promise<void>(resolve => waiting.push(resolve));
          if (state.failing) throw new BrokerError('the broker is gone', { retriable: true });
          await producer.send(records);
        },
        close: () => producer.close(),
      };
    },
  });
  return {
    wrap,
    state,
    sends,
    release: (): void => {
      for (const go of waiting.splice(0)) go();
    },
  };
};

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 20));

test('an answer waits for the acknowledgement; what arrives meanwhile goes out together', async () => {
  const { wrap, state, sends, release } = held();
  const ingest = await startIngest({}, wrap);
  state.holding = true;
  let answered = 0;
  const post = (id: string): Promise<number> =>
    ingest.post(transaction({ eventId: id })).then(answer => {
      answered++;
      return answer.status;
    });
  const posts = [post('first')];
  await settled();
  posts.push(...['a', 'b', 'c', 'd'].map(post));
  await settled();
  expect([answered, sends.map(records => records.length)]).toEqual([0, [1]]);
  state.holding = false;
  release();
  expect(await Promise.all(posts)).toEqual([202, 202, 202, 202, 202]);
  expect(sends.map(records => records.length)).toEqual([1, 4]);
  await ingest.stop();
});

test('503 with Retry-After while the broker fails, ready again when it is back; what failed is not remembered', async () => {
  const { wrap, state } = held();
  const ingest = await startIngest({}, wrap);
  state.failing = true;
  const event = transaction({ eventId: 'again' });
  const failed = await ingest.post(event);
  expect([failed.status, failed.headers['retry-after']]).toEqual([503, '3']);
  expect(ingest.service.notReady?.()).toContain('broker');
  state.failing = false;
  expect(await ingest.post(event)).toMatchObject({ status: 202, body: { eventId: 'again', revision: 0 } });
  expect(ingest.service.notReady?.()).toBeUndefined();
  expect(await ingest.records()).toHaveLength(1);
  await ingest.stop();
});

test('503 when the broker hangs past the time, and what had not begun is not sent later', async () => {
  const { wrap, state, sends, release } = held();
  const ingest = await startIngest({ config: { sendMsMax: 1_000 } }, wrap);
  state.holding = true;
  const first = ingest.post(transaction({ eventId: 'hung' }));
  await settled();
  const second = ingest.post(transaction({ eventId: 'queued' }));
  await settled();
  await ingest.clock.turn(1_000);
  expect([(await first).status, (await second).status]).toEqual([503, 503]);
  state.holding = false;
  release();
  await settled();
  expect(sends).toHaveLength(1);
  await ingest.stop();
});

test('503 past the bytes in flight, 429 past the requests of one key, and room again afterwards', async () => {
  const { wrap, state, release } = held();
  const apiKeys = ['one', 'two', 'three'].map(name => ({ name, key: `key-of-client-${name}` }));
  const config = { apiKeys, keyRequestsMax: 1, inFlightBytesMax: 300 };
  const ingest = await startIngest({ config }, wrap);
  const by = (name: string, event: object) =>
    ingest.post(event, { authorization: `Bearer key-of-client-${name}` });
  state.holding = true;
  const first = by('one', transaction());
  await settled();
  const sameKey = await by('one', transaction());
  expect([sameKey.status, sameKey.headers['retry-after']]).toEqual([429, '1']);
  const second = by('two', transaction());
  await settled();
  const tooMuch = await by('three', transaction({ terminalId: 'x'.repeat(200) }));
  expect([tooMuch.status, tooMuch.headers['retry-after']]).toEqual([503, '1']);
  state.holding = false;
  release();
  expect([(await first).status, (await second).status]).toEqual([202, 202]);
  expect((await by('one', transaction())).status).toBe(202);
  await ingest.stop();
});

test('a key for other pipelines gets 403; without keys the start is refused unless said so', async () => {
  const apiKeys = [{ name: 'other', key: 'key-of-another', pipelines: ['credit'] }];
  const ingest = await startIngest({ config: { apiKeys } });
  const { status, body } = await ingest.post(transaction(), { authorization: 'Bearer key-of-another' });
  expect([status, body['title']]).toEqual([403, 'Not allowed']);
  await ingest.stop();
  await expect(startIngest({ config: { apiKeys: [] } })).rejects.toThrow('no API keys are set');
  const open = await startIngest({ config: { apiKeys: [], insecureNoAuth: true } });
  expect((await open.post(transaction(), { authorization: '' })).status).toBe(202);
  await open.stop();
});

test('a topic that is absent stops the start, with the remedy', async () => {
  const without = (broker: Broker): Broker => ({
    ...broker,
    admin: { ...broker.admin, describeTopics: async () => [] },
  });
  await expect(startIngest({}, without)).rejects.toThrow('millrace topics apply');
});

test('over a socket: slow bodies time out, a client that leaves gives its place back, 8,000 headers are refused', async () => {
  const ingest = await startIngest({ config: { requestMsMax: 300, inFlightRequestsMax: 1 } });
  const port = ingest.service.port();
  const exchange = (text: string, leaveMs?: number): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      if (leaveMs !== undefined) setTimeout(() => socket.destroy(), leaveMs);
      socket.on('data', part => (answer += part.toString()));
      socket.on('close', () => resolve(answer));
      socket.on('error', error => (answer === '' ? reject(error) : resolve(answer)));
    });
  const head = `POST /v1/fraud/transactions HTTP/1.1\r\nhost: a\r\nauthorization: ${AUTH.authorization}\r\ncontent-type: application/json\r\n`;
  await exchange(`${head}content-length: 100\r\n\r\n{"a`, 50);
  await settled();
  expect(await exchange(`${head}content-length: 100\r\n\r\n{"a`)).toMatch(/^HTTP\/1.1 408/);
  const many = Array.from({ length: 8_000 }, (_, i) => `x-${i}: 1\r\n`).join('');
  expect(await exchange(`${head}${many}\r\n`)).toMatch(/^HTTP\/1.1 431/);
  await settled();
  const answer = await fetch(`http://127.0.0.1:${port}/v1/fraud/transactions`, {
    method: 'POST',
    headers: { ...AUTH, 'content-type': 'application/json' },
    body: JSON.stringify(transaction()),
  });
  expect(answer.status).toBe(202);
  await ingest.stop();
});
