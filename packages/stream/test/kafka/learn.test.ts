import { expect, test } from '@jest/globals';
import { noLogger, systemClock } from '@millrace/telemetry';
import type { Cluster } from '../../src/kafka/internals.ts';
import { learn } from '../../src/kafka/send.ts';

const OPTIONS = { bootstrapServers: 'nowhere:1', clientId: 'test', logger: noLogger, clock: systemClock };

const clusterThat = ({
  isConnected = true,
  targets = ['a', 'b'],
  known = ['a', 'b'] as readonly string[] | null,
  expiresInMs = 60_000 as number | null,
}) => {
  const asked: string[] = [];
  const note = (what: string) => () => Promise.resolve(void asked.push(what));
  const cluster = {
    isConnected: () => isConnected,
    targetTopics: new Set(targets),
    brokerPool: {
      metadata: known && { topicMetadata: known.map(topic => ({ topic })) },
      metadataExpireAt: expiresInMs && Date.now() + expiresInMs,
    },
    connect: note('connect'),
    addMultipleTargetTopics: note('topics'),
    refreshMetadataIfNecessary: note('refresh'),
  } as unknown as Cluster;
  return { cluster, asked };
};

test('topics that are known and were asked for of late are not asked for again', async () => {
  const { cluster, asked } = clusterThat({});
  await learn(cluster, ['b', 'a'], OPTIONS);
  expect(asked).toEqual([]);
});

test.each([
  ['nobody is connected', { isConnected: false }],
  ['one is none of ours yet', { targets: ['a'] }],
  ['nothing is known of one', { known: ['a'] }],
  ['nothing is known', { known: null }],
  ['what is known is old', { expiresInMs: -1 }],
  ['what is known is to be asked for anew', { expiresInMs: null }],
])('they are asked for where %s', async (_, state) => {
  const { cluster, asked } = clusterThat(state);
  await learn(cluster, ['a', 'b'], OPTIONS);
  expect(asked).toEqual(['connect', 'topics', 'refresh']);
});
