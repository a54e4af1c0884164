import { afterEach, expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import { catalogue, type FeaturePublication, MILLRACE_TOPICS } from '@millrace/contracts';
import { count, type Pipeline, publicationsOf } from '@millrace/define';
import { openTown, type RunningService, startService, testPipeline, type Town } from './town.ts';

const running: RunningService[] = [];
let at: Town;
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  await at.broker.close();
});

const [first, ...others] = testPipeline.features.views.toReversed();
const changed: Pipeline = {
  ...testPipeline,
  features: {
    ...testPipeline.features,
    views: [...others.toReversed(), { ...first!, features: { ...first!.features, terminalTxCount1d: count({ of: 'transactions', window: '2d', delay: '7d' }) } }],
  },
}; // prettier-ignore

const publish = async (pipeline: Pipeline): Promise<void> => {
  const topic = MILLRACE_TOPICS.features;
  const { subject, schema } = catalogue([]).find(({ name }) => name === topic)!.value!;
  const codec = await openCodec<FeaturePublication>(at.registry, { subject, schema });
  const producer = await at.broker.producer();
  const records = publicationsOf(pipeline).map((one): FeaturePublication => ({ ...one, deprecated: false, at: 0, by: 'test', why: '' })); // prettier-ignore
  await producer.send(
    records.map(record => ({ topic, partition: 0, key: null, value: codec.encode(record) })),
  );
  await producer.close();
};

test('a set whose published content is another is not served, and the place that differs is named', async () => {
  at = await openTown(changed);
  await publish(testPipeline);
  await expect(startService(at, at.clock)).rejects.toThrow(
    'feature view terminal-risk@1 is published with other content (features.terminalTxCount1d.aggregate.window)',
  );
});

test('the set that is published is served', async () => {
  at = await openTown(testPipeline);
  await publish(testPipeline);
  running.push(await startService(at, at.clock));
});
