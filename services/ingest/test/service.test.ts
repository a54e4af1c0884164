import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { murmur2Partition } from '@millrace/stream';
import { gzipSync } from 'node:zlib';
import { AUTH, type Harness, KEY, NOW_MS, startIngest, TOPIC, transaction } from './harness.ts';

let ingest: Harness;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.stop());

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const cloudEvent = (more: object = {}): object => ({
  specversion: '1.0',
  id: 'ce-1',
  source: '/tills/7',
  type: 'payment',
  time: '2023-11-14T22:13:21Z',
  data: { customerId: 'ce', terminalId: 't', amount: '3.20' },
  ...more,
});
const stored = async (customerId: string) => (await ingest.records()).filter(one => one.key === customerId);

describe('events are accepted', () => {
  test('one event: 202 with its id once it stands on the topic, keyed, with its lineage', async () => {
    const { status, body } = await ingest.post(transaction({ customerId: 'one', amount: '7.05' }), {
      traceparent: TRACE,
    });
    expect([status, body]).toEqual([
      202,
      { eventId: expect.stringMatching(/^018bcfe5-6800-7[0-9a-f]{3}-[89ab]/), revision: 0 },
    ]);
    const [record, ...more] = await stored('one');
    expect(more).toEqual([]);
    expect(record).toEqual({
      partition: murmur2Partition(Buffer.from('one'), 6),
      key: 'one',
      traceparent: TRACE,
      value: {
        eventId: body['eventId'],
        revision: 0,
        withdrawn: false,
        sequence: 0,
        txAt: 1_700_000_000_000,
        customerId: 'one',
        terminalId: 't1',
        amount: 7.05,
        lineage: { source: '', producer: 'till', ingestedAt: NOW_MS, traceparent: TRACE },
      },
    });
  });

  test('an array is answered per item: 202, 207, 422', async () => {
    const good = transaction({ customerId: 'many', eventId: 'm1' });
    const bad = transaction({ amount: 'much' });
    expect(await ingest.post([good])).toMatchObject({
      status: 202,
      body: { accepted: 1, duplicates: 0, refused: 0 },
    });
    const mixed = await ingest.post([bad, transaction({ customerId: 'many', eventId: 'm2' }), 5]);
    expect(mixed).toMatchObject({
      status: 207,
      body: {
        accepted: 1,
        refused: 2,
        items: [{ status: 422, field: 'amount' }, { status: 202, eventId: 'm2' }, { status: 422 }],
      },
    });
    expect(await ingest.post([bad, bad])).toMatchObject({ status: 422, body: { accepted: 0, refused: 2 } });
    expect((await stored('many')).map(one => one.value['eventId'])).toEqual(['m1', 'm2']);
  });

  test('NDJSON, with blank lines and a line that is none', async () => {
    const line = (id: string): string => JSON.stringify(transaction({ customerId: 'nd', eventId: id }));
    const text = `${line('n1')}\n\r\n{"a":\n${line('n2')}\r\n`;
    expect(await ingest.post(text, { 'content-type': 'application/x-ndjson; charset=utf-8' })).toMatchObject({
      status: 207,
      body: { items: [{ eventId: 'n1' }, { status: 422, reason: 'bad-value' }, { eventId: 'n2' }] },
    });
    expect(await stored('nd')).toHaveLength(2);
  });

  test('CloudEvents: structured, batch, binary; id, source and time come from the envelope', async () => {
    const structured = { 'content-type': 'application/cloudevents+json' };
    expect(await ingest.post(cloudEvent({ traceparent: TRACE }), structured)).toMatchObject({
      status: 202,
      body: { eventId: 'ce-1' },
    });
    const batch = { 'content-type': 'application/cloudevents-batch+json' };
    expect(await ingest.post([cloudEvent({ id: 'ce-2' }), cloudEvent({ id: '' })], batch)).toMatchObject({
      status: 207,
      body: { items: [{ eventId: 'ce-2' }, { status: 422, field: 'id' }] },
    });
    const binary = {
      'ce-specversion': '1.0',
      'ce-id': 'ce-3',
      'ce-source': '/tills/%C3%A9',
      'ce-type': 'payment',
    };
    expect(await ingest.post(transaction({ customerId: 'ce' }), binary)).toMatchObject({
      status: 202,
      body: { eventId: 'ce-3' },
    });
    const records = await stored('ce');
    expect(
      records.map(one => [
        one.value['eventId'],
        one.value['txAt'],
        (one.value['lineage'] as { source: string }).source,
      ]),
    ).toEqual([
      ['ce-1', NOW_MS + 1_000, '/tills/7'],
      ['ce-2', NOW_MS + 1_000, '/tills/7'],
      ['ce-3', NOW_MS, '/tills/é'],
    ]);
    expect(records[0]?.traceparent).toBe(TRACE);
  });

  test('an event sent again is told as a duplicate and written once; a revision is another event', async () => {
    const event = transaction({ customerId: 'twice', eventId: 'd1' });
    expect((await ingest.post(event)).body).toEqual({ eventId: 'd1', revision: 0 });
    expect((await ingest.post(event)).body).toEqual({ eventId: 'd1', revision: 0, duplicate: true });
    expect((await ingest.post({ ...event, revision: 1 })).body).toEqual({ eventId: 'd1', revision: 1 });
    const inOne = await ingest.post([
      { ...event, eventId: 'd2' },
      { ...event, eventId: 'd2' },
    ]);
    expect(inOne).toMatchObject({ status: 202, body: { accepted: 2, duplicates: 1 } });
    expect(await stored('twice')).toHaveLength(3);
  });

  test('a label goes to its own stream, with the id of what it labels', async () => {
    const label = { eventId: 'm1', txAt: 1, knownAt: 2, customerId: 'l', terminalId: 't', isFraud: true };
    const post = (body: object) => ingest.post(body, {}, '/v1/fraud/labels');
    expect(await post(label)).toMatchObject({ status: 202, body: { eventId: 'm1' } });
    const { eventId: _, ...without } = label;
    expect(await post(without)).toMatchObject({ status: 422, body: { field: 'eventId' } });
    expect(await ingest.records('fraud.labels.v1')).toHaveLength(1);
  });
});

describe('what is wrong is said', () => {
  test.each([
    [transaction({ amount: undefined }), 'amount', 'amount is missing'],
    [transaction({ amount: true }), 'amount', 'amount is a boolean; send a finite number'],
    [transaction({ txAt: '2023-02-30T00:00:00Z' }), 'txAt', 'ISO 8601'],
    [transaction({ txAt: '2023-02-03T00:00:00' }), 'txAt', 'with its zone'],
    [transaction({ customerId: 5 }), 'customerId', 'customerId is a whole number; send a text'],
    [transaction({ customerId: '' }), 'customerId', 'empty'],
    [transaction({ customerId: 'x'.repeat(1_025) }), 'customerId', '1025 bytes'],
    [transaction({ revision: -1 }), 'revision', 'negative'],
    [transaction({ revision: 2 ** 31 }), 'revision', '32 bits'],
    [transaction({ sequence: 1.5 }), 'sequence', 'whole number'],
    [transaction({ eventId: 'a\u0000b' }), 'eventId', 'printable'],
    [transaction({ colour: 'red' }), 'colour', 'no field of the schema'],
    [transaction({ lineage: null }), 'lineage', 'written by ingest'],
    ['{"__proto__":{"amount":1}}', '__proto__', 'never accepted'],
    ['{"constructor":1}', 'constructor', 'never accepted'],
    ['5', undefined, 'the event is a whole number; send an object'],
    ['null', undefined, 'the event is null'],
  ])('422 %#', async (event, field, detail) => {
    const { status, headers, body } = await ingest.post(event);
    expect(status).toBe(422);
    expect(headers['content-type']).toContain('application/problem+json');
    expect(body['field']).toBe(field);
    expect(body['detail']).toContain(detail);
  });

  test.each(['{', '', '[1,', '{"a":1}}', 'undefined', '"\ud800'])(
    '400 for what is no JSON: %s',
    async text => {
      const { status, body } = await ingest.post(Buffer.from(text, 'latin1'));
      expect([status, body['status']]).toEqual([400, 400]);
    },
  );

  test('400 for an empty array and for bytes that are not UTF-8; 413 for depth, events and bytes', async () => {
    expect((await ingest.post('[]')).status).toBe(400);
    expect((await ingest.post(Buffer.from([0x22, 0xff, 0x22]))).status).toBe(400);
    expect((await ingest.post('['.repeat(100_000))).status).toBe(413);
    expect((await ingest.post(JSON.stringify(Array.from({ length: 10_001 }, () => 1)))).status).toBe(413);
    expect((await ingest.post(Buffer.alloc(4 * 1024 * 1024 + 1, 0x20))).status).toBe(413);
  });

  test('401 without a key or with another, 404 with what is known', async () => {
    const without = await ingest.post(transaction(), { authorization: '' });
    expect([without.status, without.headers['www-authenticate']]).toEqual([401, 'Bearer realm="millrace"']);
    expect((await ingest.post(transaction(), { authorization: `Bearer ${KEY}x` })).status).toBe(401);
    const byHeader = await ingest.post(transaction({ customerId: 'h' }), {
      authorization: '',
      'x-api-key': KEY,
    });
    expect(byHeader.status).toBe(202);
    for (const url of ['/v1/fraud/nothing', '/v1/nothing/transactions', '/v1/constructor/__proto__']) {
      const { status, body } = await ingest.post(transaction(), {}, url);
      expect([status, body['known']]).toEqual([404, ['/v1/fraud/transactions', '/v1/fraud/labels']]);
    }
  });

  test('415 for other types, charsets and compressed bodies', async () => {
    for (const type of [
      'text/plain',
      'application/json; charset=latin1',
      'application/json\t;x, text/html',
      '',
    ])
      expect((await ingest.post(transaction(), { 'content-type': type })).status).toBe(415);
    const packed = await ingest.post(gzipSync(JSON.stringify(transaction())), { 'content-encoding': 'gzip' });
    expect([packed.status, packed.body['title']]).toEqual([415, 'Unsupported encoding']);
  });

  test('a CloudEvent that is none, and an id that contradicts its envelope', async () => {
    const type = { 'content-type': 'application/cloudevents+json' };
    for (const wrong of [
      5,
      {},
      cloudEvent({ specversion: '0.3' }),
      cloudEvent({ data: undefined }),
      cloudEvent({ data_base64: 'AA==' }),
    ])
      expect((await ingest.post(JSON.stringify(wrong), type)).status).toBe(422);
    const contradicting = cloudEvent({ data: transaction({ eventId: 'other' }) });
    expect(await ingest.post(contradicting, type)).toMatchObject({ status: 422, body: { field: 'eventId' } });
  });

  test('nothing of what was refused stands on the topic, and every event is counted', async () => {
    const before = (await ingest.records()).length;
    const refusedBefore = ingest.counts.get('millrace_ingest_events_total fraud transactions refused') ?? 0;
    await ingest.post([1, 2, 3]);
    expect(ingest.counts.get('millrace_ingest_events_total fraud transactions refused')).toBe(
      refusedBefore + 3,
    );
    expect((await ingest.records()).length).toBe(before);
    expect(ingest.counts.get('millrace_ingest_events_total fraud transactions accepted')).toBe(before);
    expect(ingest.counts.get('millrace_ingest_requests_total unknown unknown 404')).toBe(3);
  });
});

test('streams and the OpenAPI document can be read', async () => {
  const listed = await ingest.service.app.inject({ url: '/v1', headers: AUTH });
  expect(listed.json()).toMatchObject({
    streams: [
      { pipeline: 'fraud', stream: 'transactions', topic: TOPIC, key: 'customerId', time: 'txAt' },
      { stream: 'labels' },
    ],
  });
  expect((await ingest.service.app.inject('/v1')).statusCode).toBe(401);
  const document = (await ingest.service.app.inject('/openapi.json')).json<{ paths: object }>();
  expect(Object.keys(document.paths)).toEqual(['/v1/fraud/transactions', '/v1/fraud/labels', '/v1']);
});
