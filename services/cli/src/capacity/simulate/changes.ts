/** When instances go and come back. Pure; randomness is handed in. */
import type { SeededRandom } from '@millrace/pipelines';
import type { Change } from './group.ts';

const DAY_MS = 86_400_000;

export interface Kill {
  readonly atMs: number;
  /** Undefined: it does not come back. */
  readonly backAfterMs: number | undefined;
}

const ofKill = ({ atMs, backAfterMs }: Kill, instance: number): readonly Change[] => [
  { atMs, instance, what: 'killed' },
  ...(backAfterMs === undefined ? [] : [{ atMs: atMs + backAfterMs, instance, what: 'started' as const }]),
];

/** Each kill hits the next instance, the first after the last. */
export const inTurn = (kills: readonly Kill[], instances: number): readonly Change[] =>
  kills.flatMap((kill, i) => ofKill(kill, i % instances));

/** Kills at random, that many a day in the mean, each of any instance; one that is gone already is not hit again. */
export const atRandom = (
  killsPerDay: number,
  backAfterMs: number,
  instances: number,
  untilMs: number,
  random: SeededRandom,
): readonly Change[] => {
  const changes: Change[] = [];
  const goneUntilMs = new Map<number, number>();
  for (let atMs = 0; ;) {
    atMs += (-Math.log(1 - random.next()) * DAY_MS) / killsPerDay;
    if (atMs >= untilMs) return changes;
    const instance = random.integer(0, instances - 1);
    if ((goneUntilMs.get(instance) ?? 0) > atMs) continue;
    goneUntilMs.set(instance, atMs + backAfterMs);
    changes.push(...ofKill({ atMs, backAfterMs }, instance));
  }
};
