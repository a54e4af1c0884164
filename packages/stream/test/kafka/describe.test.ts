import { expect, test } from '@jest/globals';
import { turnedClock } from '@millrace/telemetry';
import { describeTopics } from '../../src/kafka/describe.ts';
import type { Cluster } from '../../src/kafka/internals.ts';

const gone = () => Object.assign(new Error('gone'), { type: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true });

/** One whose metadata still has, `behind` times, a topic that is deleted. */
const clusterWhereOneIsDeleted = (behind: number): Cluster => {
  const named = (name: string) => ({ errorCode: 0, name, id: name, internal: false, partitions: 1 });
  const metadata = async () => ({
    clusterId: 'c',
    topics: behind > 0 ? ['kept', 'deleted'].map(named) : [named('kept')],
  });
  const describeConfigs = async ({ resources }: { resources: readonly { name: string }[] }) => {
    behind -= 1;
    if (resources.some(({ name }) => name === 'deleted')) throw gone();
    return { resources: resources.map(({ name }) => ({ resourceName: name, configEntries: [] })) };
  };
  return {
    connect: async () => undefined,
    brokerPool: { findConnectedBroker: async () => ({ connectionPool: { send: metadata } }) },
    findControllerBroker: async () => ({ describeConfigs }),
  } as unknown as Cluster;
};

test('a topic that is deleted between metadata and settings does not keep the others from being described', async () => {
  const clock = turnedClock();
  const found = describeTopics(clusterWhereOneIsDeleted(3), { clock });
  await clock.turn(1_000);
  expect(await found).toEqual([{ name: 'kept', id: 'kept', partitions: 1, config: {} }]);
});

test('what the metadata has for good and has no settings is an error', async () => {
  const clock = turnedClock();
  const found = describeTopics(clusterWhereOneIsDeleted(Infinity), { clock }).catch(
    (error: unknown) => error,
  );
  await clock.turn(60_000);
  expect(await found).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' });
});
