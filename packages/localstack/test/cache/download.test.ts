import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { downloadProgress, mustMatch } from '../../src/cache/download.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-download-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('a folder that is what the lock names passes', async () => {
  await writeFile(join(folder, 'a.jar'), 'a');
  await mustMatch(folder, { 'a.jar': sha256('a') });
});

test('a changed, a missing and an unexpected file are named', async () => {
  await writeFile(join(folder, 'a.jar'), 'other');
  await writeFile(join(folder, 'c.jar'), 'c');
  await expect(mustMatch(folder, { 'a.jar': sha256('a'), 'b.jar': sha256('b') })).rejects.toThrow(
    'changed [a.jar], missing [b.jar], unexpected [c.jar]',
  );
});

test('lines of Maven about files become progress, others nothing', () => {
  const line =
    '[INFO] Downloaded from somewhere: https://repository.example/org/apache/kafka/kafka_2.13/4.4.0/kafka_2.13-4.4.0.jar (5.6 MB at 3.1 MB/s)';
  expect(downloadProgress('Kafka', line)).toBe('Kafka: kafka_2.13-4.4.0.jar (5.6 MB at 3.1 MB/s)');
  expect(downloadProgress('Kafka', '[INFO] BUILD SUCCESS')).toBeUndefined();
});
