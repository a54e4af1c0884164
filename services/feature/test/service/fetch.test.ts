/** How much a source may be handed at once: it is held beside the epochs, and read again after every crash. */
import { expect, test } from '@jest/globals';
import type { Broker, GroupOptions } from '@millrace/stream';
import { openTown, startService } from './town.ts';

test('with epochs runs are small, so that a pause has its effect soon', async () => {
  const at = await openTown();
  const joined: GroupOptions[] = [];
  const client = at.broker.connect();
  const broker: Broker = {
    admin: client.admin,
    producer: () => client.producer(),
    transactionalProducer: id => client.transactionalProducer(id),
    read: options => client.read(options),
    close: () => client.close(),
    join: (group, listener) => {
      joined.push(group);
      return client.join(group, listener);
    },
  };
  const service = await startService({ ...at, broker }, at.clock);
  expect(joined.map(({ fetchBytesPerPartitionMax }) => fetchBytesPerPartitionMax)).toEqual([131_072]);
  await service.stop();
  await at.broker.close();
});
