import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { World, writeModel } from '../../../inference/test/harness.ts';
import { rejectedAndRedriven } from './putOff.ts';

let world: World;
beforeAll(async () => {
  world = await World.open();
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1_024 });
});
afterAll(() => world.close());

test('what was put off and refused by the model is left after its limit, and answered once where a model takes it', async () => {
  expect(await rejectedAndRedriven(world)).toHaveLength(21);
});
