import type { Entry } from '../rig/ledger.ts';
import type { RigOptions } from '../rig/rig.ts';
import type { Scene } from '../scene.ts';

export interface Scenario {
  /** 0 for those without one. */
  readonly number: number;
  readonly name: string;
  readonly injects: string;
  readonly brokers: readonly (1 | 3)[];
  /** Load goes on for so long after the last fault. */
  readonly tailSeconds?: number;
  readonly rig?: Partial<
    Pick<RigOptions, 'mutants' | 'services' | 'environment' | 'brokerSettings' | 'rate' | 'records'>
  >;
  /** Which inputs belong to the dead letters, where it is not only those that cannot be read. */
  readonly isRejected?: (entry: Entry) => boolean;
  /** Processes are meant to end by themselves; elsewhere that is a fault of theirs. */
  readonly mayEnd?: boolean;
  /** At least once, answers have to come again under their ids: else it has not hit what it is about. */
  readonly repeats?: true;
  /** The most that one process of a service may take, where it is less than elsewhere. */
  readonly memoryMiBMax?: Readonly<Record<string, number>>;
  /** Why it cannot be run here; undefined where it can. */
  readonly missing?: () => string | undefined;
  run(scene: Scene): Promise<void>;
}

export const BOTH = [1, 3] as const;
export const ONE = [1] as const;
export const THREE = [3] as const;

export const repeat = async (times: number, step: (i: number) => Promise<void>): Promise<void> => {
  for (let i = 0; i < times; i++) await step(i);
};
