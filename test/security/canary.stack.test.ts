/**
 * What must never be told: personal data of events, and credentials. A canary of each is sent through services that run
 * as processes, with poison among the records, and looked for in everything that they say of themselves.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import {
  FIRST_MODEL_VERSION,
  openWorld,
  prepare,
  SERVICE_NAMES,
  type Services,
  startServices,
  type World,
} from '@millrace/cli';
import { catalogue } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import { describeStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { LETTERS, lettersSince } from '../journey/letters.ts';
import { answersTo, endsOf, eventually, payments, TOPICS } from '../journey/world.ts'; // prettier-ignore

const LIMIT_MS = 150_000;
/** Each in a place of its own, so that a find tells where it came from. */
const CANARY = {
  customer: 'canary-customer-4711',
  terminal: 'canary-terminal-4711',
  value: 'canary-value-4711',
  header: 'canary-header-4711',
  apiKey: 'canary-api-key-4711',
  registryUser: 'canary-registry-user-4711',
  databasePassword: 'canary-database-password-4711',
};
const WORDS = Object.entries(CANARY);
const foundIn = (text: string): readonly string[] =>
  WORDS.filter(([, word]) => text.includes(word)).map(([name]) => name);

describeStack('a canary', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-canary-'));
  const stopping = new AbortController();
  const spans: string[] = [];
  /** Takes the spans of all services, as a collector does. */
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      spans.push(Buffer.concat(chunks).toString('latin1'));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  let world: World;
  let services: Services | undefined;

  beforeAll(async () => {
    await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve));
    const addresses = stackAddresses();
    world = openWorld(addresses);
    await prepare(world, [fraud], () => FIRST_MODEL_VERSION);
    // PostgreSQL of the local stack trusts whoever comes, so any password opens it.
    const database = new URL(addresses.postgres);
    database.password = CANARY.databasePassword;
    const registry = new URL(addresses.registry);
    registry.username = CANARY.registryUser;
    registry.password = CANARY.registryUser;
    const { port } = collector.address() as AddressInfo;
    services = await startServices({
      addresses: { ...addresses, postgres: database.href, registry: registry.href },
      directory,
      environment: {
        ...process.env,
        MILLRACE_PIPELINES: fraud.name,
        LOG_LEVEL: 'debug',
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_TRACES_SAMPLER: 'always_on',
        FEATURE_SESSION_TIMEOUT_MS: '4000',
        INFERENCE_SESSION_TIMEOUT_MS: '4000',
      },
      clock: world.clock,
      signal: stopping.signal,
      apiKey: CANARY.apiKey,
      token: uniqueName('millrace-canary'),
      say: () => undefined,
    });
  }, LIMIT_MS);

  afterAll(async () => {
    stopping.abort(new Error('the test is over'));
    await services?.stop();
    await world?.broker.close();
    collector.closeAllConnections();
    collector.close();
    rmSync(directory, { recursive: true, force: true });
  }, LIMIT_MS);

  const post = (body: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${services!.port('ingest')}/v1/fraud/transactions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${CANARY.apiKey}`, 'content-type': 'application/json', ...headers },
      body,
    });

  /** What no decoder takes, straight onto the topic. Returns how many. */
  const sendPoison = async (): Promise<number> => {
    const topic = TOPICS.scored;
    const { value: spec, partitions } = catalogue([fraud]).find(({ name }) => name === topic)!;
    const codec = await openCodec<object>(world.registry, spec!);
    const [event] = payments(1, 1);
    const common = { revision: 0, withdrawn: false, lineage: null };
    const good = Buffer.from(codec.encode({ ...common, ...event!, customerId: CANARY.customer, terminalId: CANARY.terminal }));
    const key = Buffer.from(CANARY.customer);
    const partition = murmur2Partition(key, partitions);
    const headers = [['x-note', Buffer.from(CANARY.header)]] as const;
    const values = [
      Buffer.from(CANARY.value),
      good.subarray(0, good.length - 3),
      Buffer.concat([good, Buffer.from(CANARY.value)]),
      Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), Buffer.from(CANARY.value)]),
    ];
    const producer = await world.broker.producer();
    await producer.send([
      ...values.map(value => ({ topic, partition, key, value, headers })),
      { topic, partition, key: Buffer.from(`${CANARY.customer}-other`), value: good, headers },
    ]);
    await producer.close();
    return values.length + 1;
  }; // prettier-ignore

  test(
    'is in no log line, no metric, no span and no header that we add to a dead letter',
    async () => {
      const from = await endsOf(world, TOPICS.predictions);
      const lettersFrom = await endsOf(world, LETTERS);
      const events = payments(20, 1).map(event => ({ ...event, customerId: CANARY.customer, terminalId: CANARY.terminal }));
      expect((await post(JSON.stringify(events))).status).toBe(202);
      // Refused in every way there is, and by somebody who is not let in.
      const answers = await Promise.all([
        post(JSON.stringify({ ...events[0], [CANARY.value]: 1 })),
        post(JSON.stringify({ ...events[0], amount: CANARY.value })),
        post(`{"${CANARY.value}":`),
        post('{}', { authorization: `Bearer ${CANARY.value}` }),
        post('{}', { 'content-type': `text/${CANARY.value}` }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([422, 422, 400, 401, 415]);
      const poison = await sendPoison();
      await answersTo(world, from, events.map(({ eventId }) => eventId));
      const letters = await eventually(
        () => lettersSince(world, lettersFrom),
        found => found.length >= poison,
        found => `${found.length} letters`,
      );
      for (const { about } of letters) expect(foundIn(JSON.stringify(about))).toEqual([]);

      for (const { name, port } of services!.list()) {
        const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
        expect(text).toContain('millrace_');
        expect([name, foundIn(text)]).toEqual([name, []]);
      }
      // What is said while stopping belongs to it too, and the last spans are sent then.
      await services!.stop();
      const logs = readdirSync(join(directory, 'logs')).filter(file => file.endsWith('.log'));
      expect(logs.length).toBe(SERVICE_NAMES.length);
      for (const file of logs) {
        const text = readFileSync(join(directory, 'logs', file), 'utf8');
        expect(text).toContain('"level":"debug"');
        expect([file, foundIn(text)]).toEqual([file, []]);
      }
      const traced = spans.join('\n');
      for (const name of ['process fraud.transactions.v1', 'send fraud.transactions.v1']) expect(traced).toContain(name);
      expect(foundIn(traced)).toEqual([]);
    },
    LIMIT_MS,
  ); // prettier-ignore
});
