/**
 * The whole journey where nothing is open: every service gets in with a user of its own and the rights that
 * `millrace acls print` tells, and with no others; where they are taken away it ends, and says why.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SERVICE_NAMES, type Services, startServices, type World } from '@millrace/cli';
import {
  type Acl,
  aclsOf,
  catalogue,
  consumerGroup,
  deadLetterTopic,
  transactionalIdPrefix,
} from '@millrace/contracts';
import { chooseWay } from '@millrace/localstack';
import { fraud, pipelines } from '@millrace/pipelines';
import { RefusedError } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { describeUnless } from '../jest/skip.ts';
import { noStack, uniqueName } from '../jest/stack.ts';
import { millrace } from '../journey/command.ts';
import { answersTo, API_KEY, endsOf, eventually, payments, TOPICS } from '../journey/world.ts';
import { kafkaTool } from '../chaos/rig/tools.ts';
import { noOpenssl } from './certificates.ts';
import { type SecureWorld, startSecureWorld } from './world.ts'; // prettier-ignore

const LIMIT_MS = 180_000;
type Name = (typeof SERVICE_NAMES)[number];
const { reasons } = await chooseWay(process.env, ['jvm']);
const cannot = noStack ?? noOpenssl ?? reasons[0];
const ALL = aclsOf(pipelines, catalogue(pipelines));

describeUnless(cannot)('behind TLS, SASL and an authorizer', () => {
  const running = new Map<Name, Services>();
  const said: string[] = [];
  const stopping = new AbortController();
  let secure: SecureWorld;
  let world: World;

  const startService = async (name: Name): Promise<void> => {
    const { addresses, directory } = secure;
    const environment = { ...process.env, ...secure.environmentOf(name), MILLRACE_PIPELINES: fraud.name, FEATURE_SESSION_TIMEOUT_MS: '4000', INFERENCE_SESSION_TIMEOUT_MS: '4000' };
    const common = { clock: systemClock, signal: stopping.signal, apiKey: API_KEY, token: uniqueName('millrace-secure') };
    running.set(name, await startServices({ names: [name], addresses, directory, environment, ...common, say: line => said.push(line) }));
  }; // prettier-ignore

  const logOf = (name: Name): string => readFileSync(join(secure.directory, 'logs', `${name}.log`), 'utf8');
  const post = (body: object): Promise<Response> =>
    fetch(`http://127.0.0.1:${running.get('ingest')!.port('ingest')}/v1/fraud/transactions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  /** Events are scored, and their rows can be asked for. */
  const expectScored = async (): Promise<void> => {
    const from = await endsOf(world, TOPICS.predictions);
    const events = payments(20, 5);
    expect((await post(events)).status).toBe(202);
    await answersTo(
      world,
      from,
      events.map(({ eventId }) => eventId),
    );
    const { eventId } = events[0]!;
    const url = `http://127.0.0.1:${running.get('sink')!.port('sink')}/v1/fraud/predictions/${eventId}`;
    await eventually(
      () => fetch(url),
      answer => answer.status === 200,
      answer => `${answer.status}`,
    );
  };
  const ended = (name: Name): Promise<readonly string[]> =>
    eventually(
      async () => said.filter(line => line.startsWith(`${name} ended (1)`)),
      lines => lines.length > 0,
      () => `${name} goes on; ${said.join('; ')}`,
    );

  beforeAll(async () => {
    secure = await startSecureWorld();
    world = secure.openAs('cli');
    for (const user of ['feature', 'inference', 'sink'] as const) await secure.know(user, true);
    // Those of feature by Kafka's own tool, as printed; it takes a second for each.
    await secure.grant(ALL.filter(({ service }) => service !== 'feature'));
    const printed = await millrace('acls print --pipeline fraud --service feature --output commands');
    for (const line of printed.lines) {
      const words = line
        .replaceAll("'", '')
        .replace('"$KAFKA_BOOTSTRAP_SERVERS"', secure.addresses.kafka)
        .replace('"$COMMAND_CONFIG"', secure.commandConfig)
        .split(' ');
      expect(words.shift()).toBe('kafka-acls.sh');
      await kafkaTool('org.apache.kafka.tools.AclCommand', words);
    }
    const prepared = await millrace('up --prepare-only', {
      KAFKA_BOOTSTRAP_SERVERS: secure.addresses.kafka,
      SCHEMA_REGISTRY_URL: secure.addresses.registry,
      ...secure.environmentOf('cli'),
    });
    expect([prepared.code, prepared.said]).toEqual([0, expect.stringContaining('in place')]);
    const started = await Promise.allSettled(SERVICE_NAMES.map(startService));
    for (const one of started) if (one.status === 'rejected') throw one.reason;
  }, LIMIT_MS);

  afterAll(async () => {
    stopping.abort(new Error('the test is over'));
    await Promise.all([...running.values()].map(services => services.stop()));
    await world?.broker.close();
    await secure?.close();
  }, LIMIT_MS);

  test(
    'with exactly the rights that are printed, events are scored and stored',
    async () => {
      await expectScored();
      expect(said).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'a foreign transactional id, group and topic are refused, and so is a new topic',
    async () => {
      const { broker } = secure.openAs('feature');
      try {
        const foreign = transactionalIdPrefix(consumerGroup('inference', fraud));
        const refused = { name: 'RefusedError', message: expect.stringContaining('`millrace acls print`') };
        await expect(broker.transactionalProducer(`${foreign}0`)).rejects.toMatchObject(refused);
        await expect(broker.admin.createTopics([{ name: 'made-up', partitions: 1 }])).rejects.toMatchObject(
          refused,
        );
        await expect(
          broker.admin.committed(consumerGroup('sink', fraud), [TOPICS.scored]),
        ).rejects.toMatchObject(refused);
        const producer = await broker.producer();
        const record = { topic: TOPICS.predictions, partition: 0, key: null, value: null };
        await expect(producer.send([record])).rejects.toMatchObject(refused);
        await producer.close();
        const reading = async (): Promise<void> => {
          for await (const _ of broker.read({
            from: [{ topic: TOPICS.predictions, partition: 0, offset: 0 }],
          }))
            return;
        };
        await expect(reading()).rejects.toMatchObject(refused);
        const failure = new Promise<Error>(resolve => {
          const listener = { assigned: async () => undefined, run: () => undefined, failed: resolve };
          void broker.join({ group: consumerGroup('sink', fraud), topics: [TOPICS.scored] }, listener);
        });
        expect(await failure).toBeInstanceOf(RefusedError);
      } finally {
        await broker.close();
      }
    },
    LIMIT_MS,
  );

  test(
    'a right that is taken away while events flow: the service ends, names it, and loses nothing',
    async () => {
      const changelog = ALL.find(({ service, name }) => service === 'feature' && name === TOPICS.changelog)!;
      const write: Acl = { ...changelog, operations: ['Write'] };
      const from = await endsOf(world, TOPICS.predictions);
      const letters = await endsOf(world, deadLetterTopic(TOPICS.scored));
      await secure.revoke(write);
      const events = payments(50, 5);
      expect((await post(events)).status).toBe(202);
      await ended('feature');
      expect(logOf('feature')).toContain('TOPIC_AUTHORIZATION_FAILED; our user may not do this');
      await secure.grant([write]);
      await answersTo(
        world,
        from,
        events.map(({ eventId }) => eventId),
      );
      expect(await endsOf(world, deadLetterTopic(TOPICS.scored))).toEqual(letters);
    },
    LIMIT_MS,
  );

  test(
    'credentials that are taken away: the service ends when its connection has to prove itself again',
    async () => {
      await secure.know('inference', false);
      await ended('inference');
      expect(logOf('inference')).toContain('check KAFKA_SASL_MECHANISM');
      await secure.know('inference', true);
      await eventually(
        async () => said.filter(line => line.startsWith('inference')),
        lines => lines.length > 0,
        String,
      );
      await running.get('inference')!.stop();
      await startService('inference');
      await expectScored();
    },
    LIMIT_MS,
  );
});
