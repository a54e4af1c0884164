/** The world of the harness on the stack that the tests share, for a pipeline of its own. */
import { confluentRegistry } from '@millrace/avro';
import { catalogue, type Topic } from '@millrace/contracts';
import { hashFeatureSet } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import { kafkaBroker } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import { stackAddresses, uniqueName } from '../../../test/jest/stack.ts';
import { World, writeModel } from './harness.ts';

export interface StackWorld {
  readonly world: World;
  readonly close: () => Promise<void>;
}

/** Model 1, which answers amount / 1024, is champion. */
export const openStackWorld = async (features: Topic['config'] = {}): Promise<StackWorld> => {
  const { kafka, registry: url } = stackAddresses();
  const clock = systemClock;
  const pipeline = { ...fraud, name: uniqueName('inference'), partitions: 3 };
  const closing: (() => Promise<unknown>)[] = [];
  const connect = () => {
    const broker = kafkaBroker({ bootstrapServers: kafka, clientId: 'test', logger: noLogger, clock });
    closing.push(() => broker.close());
    return broker;
  };
  const ground = { pipeline, registry: confluentRegistry({ url, clock }), broker: connect(), connect };
  const world = await World.open(ground, features);
  closing.push(() => world.close());
  closing.push(() => {
    const own = catalogue([pipeline]).filter(topic => topic.pipeline === pipeline.name);
    return world.ground.broker.admin.deleteTopics(own.map(({ name }) => name));
  });
  const featureSet = { pipeline: pipeline.name, version: 1, hash: hashFeatureSet(pipeline) };
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1024, changes: { featureSet } });
  await world.alias('1');
  return {
    world,
    close: async () => {
      for (const close of closing.toReversed()) await close();
    },
  };
};
