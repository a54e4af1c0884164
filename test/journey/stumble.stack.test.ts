/** Scenario 19 of the fault list: code of ours that throws, on one record after the other. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import { consumerGroup } from '@millrace/contracts';
import { FIRST_MODEL_VERSION, openWorld, prepare } from '@millrace/cli';
import { fraud } from '@millrace/pipelines';
import { describeStack, stackAddresses } from '../jest/stack.ts';
import { encoded, LETTERS, lettersSince, ofOne, STUMBLES_AT, valueOf } from './letters.ts';
import { endsOf, eventually, planted, TOPICS } from './world.ts';

const LIMIT_MS = 120_000;
const TOPIC = TOPICS.scored;
const FEATURE_MAIN = join(import.meta.dirname, '../../services/feature/src/main.ts');

describeStack('code of ours that stumbles over one record after the other', () => {
  test(
    'puts each of them aside and goes on, and passes over none',
    async () => {
      const addresses = stackAddresses();
      const world = openWorld(addresses);
      try {
        await prepare(world, [fraud], () => FIRST_MODEL_VERSION);
        const codec = await openCodec<object>(world.registry, valueOf(TOPIC));
        const { events, key, partition } = ofOne(40);
        const [letters, inputs] = await Promise.all([endsOf(world, LETTERS), endsOf(world, TOPIC)]);
        const producer = await world.broker.producer();
        await producer.send(
          events.map(event => ({
            topic: TOPIC,
            partition,
            key,
            value: encoded(codec, { ...event, amount: STUMBLES_AT }),
          })),
        );
        await producer.close();
        const committedTo = async (): Promise<number> => {
          const committed = await world.broker.admin.committed(consumerGroup('feature', fraud), [TOPIC]);
          return committed.find(one => one.partition === partition)?.offset ?? 0;
        };
        const first = inputs.find(one => one.partition === partition)!.offset;
        const service = feature('feature-stumbles');
        try {
          await eventually(
            committedTo,
            now => now >= first + events.length,
            now => `committed to ${now}, of ${first + events.length}: ${service.out()}`,
          );
        } finally {
          service.stop();
        }
        expect(await service.ended).toBe(0);
        const aside = (await lettersSince(world, letters)).filter(letter => letter.key === key.toString());
        expect(aside).toHaveLength(events.length);
      } finally {
        await world.broker.close();
      }
    },
    LIMIT_MS,
  );
});

/** The feature service as a process that nobody starts again. */
const feature = (mutant: string) => {
  const { kafka, registry } = stackAddresses();
  const child = spawn(process.execPath, [FEATURE_MAIN], {
    env: {
      ...process.env,
      MILLRACE_PIPELINES: fraud.name,
      ...planted(mutant),
      KAFKA_BOOTSTRAP_SERVERS: kafka,
      SCHEMA_REGISTRY_URL: registry,
      HOST: '127.0.0.1',
      PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS / 2,
    killSignal: 'SIGKILL',
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (out += text));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { ended, out: () => out.slice(-2_000), stop: () => child.kill('SIGTERM') };
};
