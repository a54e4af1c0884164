import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readConfig } from '@millrace/runtime';
import type { GroupOptions } from '@millrace/stream';
import { INFERENCE_DEFAULTS, INFERENCE_SPEC } from '../src/config.ts';
import { inMemory, World, writeModel } from './harness.ts';

const NEEDED = { KAFKA_BOOTSTRAP_SERVERS: 'k:9092', SCHEMA_REGISTRY_URL: 'http://r' };
const read = (env: Readonly<Record<string, string>>) =>
  readConfig(INFERENCE_SPEC, { env: { ...NEEDED, ...env } });

test('how vectors are fetched is said in the environment, and asked of Kafka', async () => {
  const config = read({
    INFERENCE_FETCH_BYTES_MIN: '20000',
    INFERENCE_FETCH_BYTES_MAX: '500000',
    INFERENCE_FETCH_LINGER_MS: '7',
    INFERENCE_FETCH_WAIT_MS_MAX: '30',
  });
  const ground = inMemory();
  const asked: GroupOptions[] = [];
  const world = await World.open(ground);
  const broker: typeof ground.broker = {
    ...ground.broker,
    join: (options, listener) => {
      asked.push(options);
      return ground.broker.join(options, listener);
    },
  };
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1024 });
  await world.alias('1');
  await world.start({ broker, config }).start(new AbortController().signal);
  expect(asked).toMatchObject([
    { fetchBytesMin: 20_000, fetchBytesPerPartitionMax: 500_000, fetchLingerMs: 7, fetchWaitMsMax: 30 },
  ]);
  await world.close();
});

test('a fetch waits for one byte where nothing is said, and for no amount that is none', () => {
  expect([read({}).fetchBytesMin, INFERENCE_DEFAULTS.fetchBytesMin]).toEqual([1, 1]);
  for (const wrong of ['0', '1.5', '1048577', 'much'])
    expect(() => read({ INFERENCE_FETCH_BYTES_MIN: wrong })).toThrow(
      expect.objectContaining({
        mistakes: [expect.stringMatching(/INFERENCE_FETCH_BYTES_MIN.* a whole number from 1 to 1048576/)],
      }),
    );
});

test('the operating manual says the defaults that they have', () => {
  const manual = readFileSync(join(import.meta.dirname, '../../../docs/OPERATING.md'), 'utf8');
  const rows = [...manual.matchAll(/^\| `(INFERENCE_\w+)` +\| ([\d,]+)(?: of [^|]*)? +\|/gm)];
  const said = rows.map(([, name, value]) => [name, Number(value!.replaceAll(',', ''))]);
  expect(said.length).toBeGreaterThan(5);
  const known = Object.values(INFERENCE_SPEC).map(({ env, fallback }) => [env, fallback?.value]);
  expect(known).toEqual(expect.arrayContaining(said));
});
