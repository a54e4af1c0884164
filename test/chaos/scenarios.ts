/** The scenarios, by the numbers of the design's table. */
import * as faults from './faults.ts';
import type { RigOptions } from './rig/rig.ts';
import type { Scene } from './scene.ts';

export interface Scenario {
  /** Of the design's table; 0 for those that it does not have. */
  readonly number: number;
  readonly name: string;
  readonly injects: string;
  readonly brokers: readonly (1 | 3)[];
  /** Load goes on for so long after the last fault. */
  readonly tailSeconds?: number;
  readonly rig?: Partial<
    Pick<RigOptions, 'mutants' | 'services' | 'environment' | 'brokerSettings' | 'rate'>
  >;
  run(scene: Scene): Promise<void>;
}

const repeat = async (times: number, step: (i: number) => Promise<void>): Promise<void> => {
  for (let i = 0; i < times; i++) await step(i);
};

export const SCENARIOS: readonly Scenario[] = [
  {
    number: 1,
    name: 'kill-services',
    injects: 'kill -9 of a random service every 5 to 12 s, six times',
    brokers: [1, 3],
    run: scene =>
      repeat(6, async () => {
        await faults.killService(scene);
        await scene.wait(scene.between(5, 12));
      }),
  },
  {
    number: 3,
    name: 'lost-commit-answer',
    injects: 'the answers to 12 EndTxn requests are lost',
    brokers: [1, 3],
    run: scene =>
      repeat(4, async () => {
        await faults.onFrames(scene, 'lose', 3, 'endTxn');
        await scene.wait(8);
      }),
  },
];

/** @throws RangeError naming those there are */
export const scenariosNamed = (names: readonly string[]): readonly Scenario[] =>
  names.map(name => {
    const found = SCENARIOS.find(one => one.name === name || (one.number > 0 && String(one.number) === name));
    if (found === undefined) {
      const known = SCENARIOS.map(one => (one.number > 0 ? `${one.number} (${one.name})` : one.name));
      throw new RangeError(`there is no scenario '${name}'; there are: ${known.join(', ')}`);
    }
    return found;
  });
