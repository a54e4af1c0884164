import type { Tally, Verdict } from './life.ts';

const TRACE_STEPS_SHOWN = 25;
const VIOLATIONS_SHOWN = 5;

export type Totals = { -readonly [K in keyof Tally]: number } & { seeds: number };

/** The sum of many runs, and those in which something was violated. */
export class Report {
  readonly totals: Totals = {
    seeds: 0, inputs: 0, starts: 0, crashes: 0, zombies: 0, stops: 0, rebalances: 0, lost: 0, engines: 0, rules: 0, full: 0, redriven: 0, redrivesKilled: 0, clockSteps: 0, steps: 0, simulatedMs: 0,
  }; // prettier-ignore
  readonly violated: { readonly seed: number; readonly violations: readonly string[] }[] = [];

  add({ seed, tally, violations }: Verdict): void {
    this.totals.seeds++;
    for (const [name, value] of Object.entries(tally)) this.totals[name as keyof Tally] += value as number;
    if (violations.length > 0) this.violated.push({ seed, violations });
  }

  lines(seconds: number): readonly string[] {
    const { seeds, inputs, starts, crashes, zombies, stops, rebalances, lost, engines, rules, full, steps } =
      this.totals;
    const { redriven, redrivesKilled, clockSteps } = this.totals;
    const rate = seconds > 0 ? (seeds / seconds).toFixed(1) : '-';
    return [
      `${seeds} seeds in ${seconds.toFixed(1)} s (${rate} a second), ${steps} steps, ${inputs} inputs`,
      `${starts} processes started, ${crashes} killed, ${zombies} frozen, ${stops} stopped in order, ${rebalances} rebalances`,
      `${lost} calls or answers lost, ${engines} engines lost, rules changed ${rules} times, lanes filled ${full} times`,
      `${redriven} letters sent again, ${redrivesKilled} commands that did so killed, brokers' clock set ${clockSteps} times`,
      `${this.violated.length} seeds with a violation`,
    ];
  }

  result(seconds: number): object {
    return { ...this.totals, seconds, violated: this.violated };
  }
}

/** A failing seed: what was violated, how it ended, and how to see it again. */
export function violationLines(
  { seed, violations, trace, hash }: Verdict,
  defect: string | undefined,
): readonly string[] {
  const replay = `pnpm simulate --seed ${seed}${defect === undefined ? '' : ` --defect ${defect}`}`;
  return [
    `VIOLATED in seed ${seed} (trace ${hash}):`,
    ...violations.slice(0, VIOLATIONS_SHOWN).map(text => `  - ${text}`),
    `  the last steps of its course:`,
    ...trace.slice(-TRACE_STEPS_SHOWN).map(step => `    ${step}`),
    `  again: ${replay}`,
  ];
}
