import { expect, test } from '@jest/globals';
import type { PartitionOffset } from '../../src/broker/port.ts';
import { GatheredCommits } from '../../src/kafka/commits.ts';

const at = (partition: number, offset: number): PartitionOffset => ({ topic: 't', partition, offset });

const rig = (commit: () => Promise<void> = () => Promise.resolve()) => {
  const requests: (readonly PartitionOffset[])[] = [];
  const commits = new GatheredCommits(offsets => {
    requests.push(offsets);
    return commit();
  });
  return { commits, requests };
};

test('what is committed in one turn of the event loop goes in one request', async () => {
  const { commits, requests } = rig();
  await Promise.all([commits.commit([at(0, 5)]), commits.commit([at(1, 7), at(2, 9)])]);
  await commits.commit([at(0, 6)]);
  expect(requests).toEqual([[at(0, 5), at(1, 7), at(2, 9)], [at(0, 6)]]);
});

test('each is told of the failure of what went together, and the next is asked anew', async () => {
  let fails = true;
  const { commits } = rig(() => (fails ? Promise.reject(new Error('refused')) : Promise.resolve()));
  const told = await Promise.allSettled([commits.commit([at(0, 5)]), commits.commit([at(1, 7)])]);
  expect(told.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  await commits.commit([at(0, 5)]);
});
