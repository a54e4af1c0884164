import { expect, test } from '@jest/globals';
import { catalogue } from '@millrace/contracts';
import { featureGroup } from '../../src/service.ts';
import { expectedOf, openTown, publish, readVectors, someEvents, startService, until } from './town.ts';

const EVENTS = 150;

test('state that was lost with its changelog is refused, and built again from events by the documented steps', async () => {
  const at = await openTown();
  const { admin } = at.broker;
  const events = someEvents(EVENTS);
  const scored = events.filter(({ stream }) => stream === 'transactions').length;
  const first = await startService(at, at.clock);
  const published = [...(await publish(at, events))];
  await until(async () => (await readVectors(at)).length >= scored);
  await first.stop();

  const internal = catalogue([at.pipeline]).filter(({ kind }) =>
    ['repartition', 'changelog', 'progress', 'epochs'].includes(kind),
  );
  const anew = async (topics: typeof internal): Promise<void> => {
    await admin.deleteTopics(topics.map(({ name }) => name));
    await admin.createTopics(topics.map(({ name, partitions, config }) => ({ name, partitions, config })));
  };
  await anew(internal.filter(({ kind }) => kind === 'changelog'));
  const refused = await startService(at, at.clock);
  await expect(refused.component.failed).rejects.toThrow(/has committed \d+, the state has applied nothing/u);
  await refused.stop();

  await anew(internal);
  const events0 = catalogue([at.pipeline]).filter(({ kind }) => kind === 'events' || kind === 'repartition');
  const beginnings = await Promise.all(events0.map(({ name }) => admin.beginningOffsets(name)));
  await admin.resetOffsets(featureGroup(at.pipeline), beginnings.flat());
  const again = await startService(at, at.clock);
  await until(async () => (await readVectors(at)).length >= 2 * scored);
  await again.stop();
  const expected = expectedOf(at.pipeline, published);
  const vectors = await readVectors(at);
  expect(vectors.length).toBe(2 * scored);
  for (const { value } of vectors)
    expect(Object.values(value.features)).toEqual([...expected.get(value.eventId)!.values]);
  await at.broker.close();
});
