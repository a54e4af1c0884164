import type { Clock } from '@millrace/telemetry';
import type { Io } from './io.ts';

export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** As people say it. */
export const durationOf = (seconds: number): string =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5_400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3_600).toFixed(1)} h`;

const SAY_EVERY_MS = 2_000;

/** Tells how far it is, at most every two seconds, by what this process has seen done. @param verb such as `scored` */
export const progressTeller = (io: Io, clock: Clock, verb: string): ((progress: Progress) => void) => {
  let first: { readonly atMs: number; readonly done: number } | undefined;
  let saidMs = Number.NEGATIVE_INFINITY;
  return ({ done, total }) => {
    const nowMs = clock.now();
    first ??= { atMs: nowMs, done };
    if (nowMs - saidMs < SAY_EVERY_MS && done < total) return;
    saidMs = nowMs;
    const rate = ((done - first.done) / Math.max(1, nowMs - first.atMs)) * 1000;
    const left = done === total ? '' : rate > 0 ? `, ${durationOf((total - done) / rate)} left` : '';
    io.say(`  ${done} of ${total} ${verb}, ${Math.round(rate)}/s${left}`);
  };
};
