/** Faults drawn from the whole menu for a while, in an order that the seed decides. */
import * as faults from '../faults.ts';
import type { Scenario } from './scenario.ts';
import type { Scene } from '../scene.ts';

interface Dish {
  readonly name: string;
  readonly weight: number;
  serve(scene: Scene): Promise<void>;
  /** What the system is given to recover before the next fault, seconds. */
  readonly restSeconds: readonly [number, number];
}

const FROM_A_FAULT: readonly [number, number] = [4, 12];
const FROM_A_BROKER: readonly [number, number] = [12, 20];

const MENU: readonly Dish[] = [
  { name: 'kill a service', weight: 6, serve: scene => faults.killService(scene), restSeconds: FROM_A_FAULT },
  { name: 'stop a service', weight: 4, serve: scene => faults.stopService(scene, scene.between(3, 18)), restSeconds: FROM_A_FAULT },
  { name: 'end a service', weight: 3, serve: scene => faults.terminateService(scene), restSeconds: FROM_A_FAULT },
  { name: 'kill a broker', weight: 2, serve: scene => faults.killBroker(scene, scene.between(0, 12)), restSeconds: FROM_A_BROKER },
  { name: 'stop a broker', weight: 2, serve: scene => faults.stopBroker(scene, scene.between(3, 15)), restSeconds: FROM_A_BROKER },
  { name: 'roll a broker', weight: 2, serve: scene => faults.rollBroker(scene), restSeconds: FROM_A_BROKER },
  { name: 'slow network', weight: 1, serve: scene => faults.slowNetwork(scene, 200, scene.between(4, 10)), restSeconds: FROM_A_FAULT },
  { name: 'resets', weight: 2, serve: scene => faults.resets(scene, 0.1, scene.between(3, 8)), restSeconds: FROM_A_FAULT },
  { name: 'half-open', weight: 2, serve: scene => faults.hold(scene, scene.between(3, 12)), restSeconds: FROM_A_FAULT },
  { name: 'cut responses', weight: 2, serve: scene => faults.onFrames(scene, 'cut', 6), restSeconds: FROM_A_FAULT },
  { name: 'lose EndTxn', weight: 2, serve: scene => faults.onFrames(scene, 'lose', 4, 'endTxn'), restSeconds: FROM_A_FAULT },
  { name: 'late EndTxn', weight: 2, serve: scene => faults.onFrames(scene, 'late', 2, 'endTxn', 7_000), restSeconds: FROM_A_FAULT },
  { name: 'late Produce', weight: 1, serve: scene => faults.onFrames(scene, 'late', 2, 'produce', 7_000), restSeconds: FROM_A_FAULT },
  { name: 'database away', weight: 1, serve: scene => faults.databaseAway(scene, scene.between(1, 8)), restSeconds: FROM_A_FAULT },
  { name: 'database half-open', weight: 1, serve: scene => faults.databaseHeld(scene, scene.between(2, 10)), restSeconds: FROM_A_FAULT },
  { name: 'registry away', weight: 1, serve: scene => faults.registryAway(scene, scene.between(3, 10)), restSeconds: FROM_A_FAULT },
]; // prettier-ignore

/** Only where there are three brokers. */
const OF_THREE: readonly Dish[] = [
  { name: 'new leaders', weight: 2, serve: scene => faults.newLeaders(scene, 'data', Math.floor(scene.between(0, 3))), restSeconds: FROM_A_FAULT },
  { name: 'new coordinators', weight: 2, serve: scene => faults.newLeaders(scene, 'coordinators', Math.floor(scene.between(0, 3))), restSeconds: FROM_A_FAULT },
]; // prettier-ignore

const draw = (scene: Scene): Dish => {
  const menu = scene.rig.brokers.length === 3 ? [...MENU, ...OF_THREE] : MENU;
  let weight = scene.random() * menu.reduce((sum, dish) => sum + dish.weight, 0);
  return menu.find(dish => (weight -= dish.weight) < 0) ?? menu[0]!;
};

export const randomFaults = (seconds: number): Scenario => ({
  number: 0,
  name: 'random',
  injects: `faults drawn from the menu for ${Math.round(seconds / 60)} min`,
  brokers: [1, 3],
  run: async scene => {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      const dish = draw(scene);
      await dish.serve(scene);
      await scene.wait(scene.between(...dish.restSeconds));
    }
  },
});
