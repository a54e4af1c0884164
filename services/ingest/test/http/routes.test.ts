import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { type Broker, BrokerError, type OutRecord } from '@millrace/stream';
import { noLogger } from '@millrace/telemetry';
import { AUTH, startIngest, transaction } from '../harness.ts';

/** A broker whose acknowledgements wait until they are let through, or fail. */
const held = () => {
  const waiting: (() => void)[] = [];
  const sends: (readonly OutRecord[])[] = [];
  const state = { failing: false, holding: false };
  const wrap = (broker: Broker): Broker => ({
    ...broker,
    producer: async () => {
      if (state.failing) throw new BrokerError('nobody listens', { retriable: true });
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

test('while Kafka is away: 503 with Retry-After at once, nothing is queued; it finds Kafka again by itself', async () => {
  const { wrap, state, sends } = held();
  const ingest = await startIngest({}, wrap);
  state.failing = true;
  const event = transaction({ eventId: 'again' });
  const failed = await ingest.post(event);
  expect([failed.status, failed.headers['retry-after']]).toEqual([503, '3']);
  expect(ingest.service.notReady?.()).toBe('waits for Kafka, for 0 s by now: the broker is gone');
  for (let i = 0; i < 100; i++) expect((await ingest.post(transaction())).status).toBe(503);
  await ingest.clock.turn(60_000);
  expect(sends).toHaveLength(1);
  state.failing = false;
  // Nobody sends to a process that is not ready.
  await ingest.clock.turn(2_000);
  await settled();
  expect(ingest.service.notReady?.()).toBeUndefined();
  expect(await ingest.post(event)).toMatchObject({ status: 202, body: { eventId: 'again', revision: 0 } });
  expect(await ingest.records()).toHaveLength(1);
  await ingest.stop();
});

test('a send that hangs counts as away, until it ends well after all', async () => {
  const { wrap, state, release } = held();
  const ingest = await startIngest({ config: { sendMsMax: 1_000 } }, wrap);
  state.holding = true;
  const hung = ingest.post(transaction());
  await settled();
  await ingest.clock.turn(1_000);
  expect((await hung).status).toBe(503);
  await ingest.clock.turn(10_000);
  expect((await ingest.post(transaction())).status).toBe(503);
  state.holding = false;
  release();
  await settled();
  await ingest.clock.turn(2_000);
  expect((await ingest.post(transaction())).status).toBe(202);
  await ingest.stop();
});

test('what Kafka refuses for good concerns its request alone, and is said once a minute', async () => {
  const said: unknown[] = [];
  const logger = { ...noLogger, error: (fields: object) => said.push(fields) };
  const refusing = (broker: Broker): Broker => ({
    ...broker,
    producer: async () => ({
      send: async () => {
        throw new BrokerError('not authorized', { retriable: false });
      },
      close: async () => undefined,
    }),
  });
  const ingest = await startIngest({ logger }, refusing);
  for (let i = 0; i < 20; i++) expect((await ingest.post(transaction())).status).toBe(503);
  expect(ingest.service.notReady?.()).toBeUndefined();
  expect(said).toHaveLength(1);
  await ingest.stop();
});

test('503 past the records in flight; told to stop, whoever waits for Kafka is answered within the time', async () => {
  const { wrap, state } = held();
  const ingest = await startIngest({ config: { inFlightRecordsMax: 3 } }, wrap);
  state.holding = true;
  const many = (count: number) => ingest.post(Array.from({ length: count }, () => transaction()));
  const first = many(2);
  await settled();
  expect((await many(2)).status).toBe(503);
  const second = many(1);
  await settled();
  const stopped = ingest.service.stop(1_000);
  await ingest.clock.turn(1_000);
  expect([(await first).status, (await second).status]).toEqual([503, 503]);
  await stopped;
  await ingest.stop();
});

test('the same Idempotency-Key gives the same ids to events without one; another key or sender does not', async () => {
  const apiKeys = ['one', 'two'].map(name => ({ name, key: `key-of-client-${name}` }));
  const ingest = await startIngest({ config: { apiKeys } });
  const idsOf = async (sender: string, name: string): Promise<unknown[]> => {
    const { status, body } = await ingest.post([transaction(), transaction({ amount: 1 })], {
      authorization: `Bearer key-of-client-${sender}`,
      'idempotency-key': name,
    });
    expect(status).toBe(202);
    return (body['items'] as { eventId: string }[]).map(item => item.eventId);
  };
  const first = await idsOf('one', 'order-7');
  expect(await idsOf('one', 'order-7')).toEqual(first);
  expect(await ingest.records()).toHaveLength(2);
  const all = [first, await idsOf('one', 'order-8'), await idsOf('two', 'order-7')].flat();
  expect(new Set(all).size).toBe(6);
  const refused = await ingest.post(transaction(), {
    authorization: 'Bearer key-of-client-one',
    'idempotency-key': 'x'.repeat(257),
  });
  expect([refused.status, refused.body['title']]).toEqual([400, 'Bad Idempotency-Key']);
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

test('while it stops, what comes on an open connection is told when to come again', async () => {
  const { wrap, state, release } = held();
  const ingest = await startIngest({}, wrap);
  state.holding = true;
  const body = JSON.stringify(transaction());
  const request = `POST /v1/fraud/transactions HTTP/1.1\r\nhost: a\r\nauthorization: ${AUTH.authorization}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  let answers = '';
  const socket = connect(ingest.service.port(), '127.0.0.1', () => socket.write(request));
  const closed = new Promise<void>(resolve => socket.on('close', () => resolve()));
  socket.on('data', part => (answers += part.toString()));
  await settled();
  const stopped = ingest.service.stop(5_000);
  await settled();
  socket.write(request);
  await settled();
  state.holding = false;
  release();
  await Promise.all([stopped, closed]);
  expect(answers).toMatch(/^HTTP\/1.1 202[^]*HTTP\/1.1 503[^]*retry-after: 2/);
  await ingest.stop();
});
