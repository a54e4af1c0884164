import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { stackAddresses, stackTest as test } from '../jest/stack.ts';

test('the demo on a stack that is there: its account adds up, its last line is the agreed object, exit 0', () => {
  const { kafka, registry, postgres } = stackAddresses();
  const environment = {
    ...process.env,
    KAFKA_BOOTSTRAP_SERVERS: kafka,
    SCHEMA_REGISTRY_URL: registry,
    DATABASE_URL: postgres,
  };
  const main = join(import.meta.dirname, '../../services/cli/src/main.ts');
  const ended = spawnSync(
    process.execPath,
    [main, 'demo', '--events', '500', '--rate', '300', '--output', 'json'],
    {
      env: environment,
      encoding: 'utf8',
      timeout: 110_000,
    },
  );
  expect({ status: ended.status, stderr: ended.status === 0 ? '' : ended.stderr }).toEqual({
    status: 0,
    stderr: '',
  });
  const result = JSON.parse(ended.stdout.trim().split('\n').at(-1)!) as Record<string, number>;
  expect(Object.keys(result)).toEqual([
      'pipeline', 'stack', 'in', 'scored', 'fallback', 'deferred', 'deadLetters', 'skipped', 'doubled', 'rows', 'latencyMs', 'recordsPerSecond',
    ]); // prettier-ignore
  expect(result).toMatchObject({ pipeline: 'fraud', stack: 'external', in: 505, deadLetters: 2, skipped: 3 });
  expect(result['in']).toBe(
    result['scored']! +
      result['fallback']! +
      result['deferred']! +
      result['deadLetters']! +
      result['skipped']!,
  );
  expect(result['rows']).toBe(result['scored']! + result['fallback']!);
}, 120_000);
