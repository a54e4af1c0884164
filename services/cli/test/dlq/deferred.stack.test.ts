/** Letters of what was put off on real Kafka. What came of them is judged by librdkafka. */
import { afterAll, expect, test } from '@jest/globals';
import { asideTopic, type PredictionValue } from '@millrace/contracts';
import { openStackWorld, type StackWorld } from '../../../inference/test/stackWorld.ts';
import { describeUnless } from '../../../../test/jest/skip.ts';
import { noStack } from '../../../../test/jest/stack.ts';
import { findPython } from '../../../../test/journey/python.ts';
import { recordsSince } from '../../../../test/journey/records.ts';
import { rejectedAndRedriven } from './putOff.ts';

const LIMIT_MS = 180_000;
const python = noStack === undefined ? await findPython() : { missing: noStack };
let opened: StackWorld | undefined;
afterAll(() => opened?.close());

describeUnless('missing' in python ? python.missing : undefined)('letters of what was put off', () => {
  test(
    'are sent again once and answered once, under the id of the stream',
    async () => {
      opened = await openStackWorld();
      const { world } = opened;
      const answers = await rejectedAndRedriven(world);
      const read = async (topic: string) => {
        const begins = await world.ground.broker.admin.beginningOffsets(topic);
        return recordsSince('path' in python ? python.path : '', topic, begins);
      };
      const codec = await world.codec<PredictionValue>(world.topics.predictions);
      const found = await read(world.topics.predictions);
      await codec.prepare(found.map(({ value }) => value));
      const ids = found
        .map(({ value }) => codec.decode(value) as PredictionValue)
        .filter(({ runId }) => runId === 'live');
      expect(ids.map(({ predictionId }) => predictionId).toSorted()).toEqual(
        answers.map(({ predictionId }) => predictionId).toSorted(),
      );
      expect((await read(asideTopic(world.topics.deferred))).map(({ headers }) => headers.get('__redrive.count'))).toEqual(['1', '2']); // prettier-ignore
    },
    LIMIT_MS,
  );
});
