/** `millrace batch run`: a portfolio scored once, by the newest vector of each entity. */
import type { Pipeline } from '@millrace/define';
import { type NightProgress, NightRefused, type NightResult, runNight } from '@millrace/inference';
import { pipelines } from '@millrace/pipelines';
import { systemRandom } from '@millrace/telemetry';
import { timeOf } from '../flags.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import type { World } from '../world/prepare.ts';

export interface BatchOptions {
  /** Id of the run; default: the day, or the time of `asOf`. */
  readonly run: string | undefined;
  /** ISO 8601: vectors appended before it. */
  readonly asOf: string | undefined;
  readonly models: string;
  /** Records that live scoring may be behind before the night waits. */
  readonly yieldLag: number;
  /** Longest wait in all, minutes. */
  readonly yieldMinutes: number;
  readonly by: string;
  readonly output: OutputForm;
}

const SAY_EVERY_MS = 2_000;
const MINUTE_MS = 60_000;
/** What a part of a topic's name, a group's and a transactional id's may be. */
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The day of a time in a time zone, YYYY-MM-DD. */
const dayIn = (timeZone: string, ms: number): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(ms);

/** A night a day: whoever asks again on the same day goes on with it, or hears that it is done. */
const runIdOf = ({ name, timeZone }: Pipeline, options: BatchOptions, nowMs: number): string => {
  const asOfMs = timeOf('as-of', options.asOf);
  const basic = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:]|\.000/g, '');
  const run = options.run ?? `${name}-${asOfMs === undefined ? dayIn(timeZone, nowMs) : `as-of-${basic(asOfMs)}`}`;
  if (!RUN_ID.test(run) || run === 'live' || run === 'deferred')
    throw new UsageError(`--run: '${run}' cannot be the id of a run: letters, digits, and . _ - between them, and not live or deferred`);
  return run;
}; // prettier-ignore

/** Tells how far it is, at most every two seconds, by what this process has seen done. */
const progressTeller = (io: Io, world: World): ((progress: NightProgress) => void) => {
  let first: { readonly atMs: number; readonly done: number } | undefined;
  let saidMs = Number.NEGATIVE_INFINITY;
  return ({ done, total }) => {
    const nowMs = world.clock.now();
    first ??= { atMs: nowMs, done };
    if (nowMs - saidMs < SAY_EVERY_MS && done < total) return;
    saidMs = nowMs;
    const rate = ((done - first.done) / Math.max(1, nowMs - first.atMs)) * 1000;
    const left = done === total ? '' : rate > 0 ? `, ${Math.ceil((total - done) / rate)} s left` : '';
    io.say(`  ${done} of ${total} scored, ${Math.round(rate)}/s${left}`);
  };
};

/** The manifest as it is printed: what a reader of the run's last record has too. */
const manifestOf = ({ run, report }: NightResult) => {
  const { run: id, pipeline, kind, state, at, by, featureSet, featureSetHash, slice } = run;
  return { run: id, kind, pipeline, state, at: new Date(at).toISOString(), by, featureSet, featureSetHash, ...report, slice };
}; // prettier-ignore

const print = (io: Io, result: NightResult): void => {
  const { run, report } = result;
  const { model, entities, tombstones, scored, deadLettered, decisions, digest, putOff } = report;
  const rows: (readonly [string, string | number])[] = [
    ['run', run.run],
    ['slice', report.asOf === null ? 'when it began' : `as of ${report.asOf}`],
    ['model', `${model.name} ${model.version} (${model.digest.slice(0, 12)}…), control revision ${report.controlRevision}`],
    ['feature set', `v${run.featureSet} (${run.featureSetHash.slice(0, 12)}…)`],
    ['entities', entities],
    ['scored', scored],
    ['dead letters', deadLettered],
    ['gone (tombstones)', tombstones],
    ['put off by rules, scored now', putOff.scored],
    ['put off by rules, dead letters', putOff.deadLettered],
    ...Object.entries(decisions).map(([name, count]) => [`decision ${name}`, count] as const),
    ['waited for the stream', `${(report.waitedMs / 1000).toFixed(1)} s`],
    ['digest', digest],
  ];
  for (const line of table(['NIGHT', run.pipeline], rows.map(([name, value]) => [name, String(value)]))) io.out(line);
}; // prettier-ignore

export const batchRun = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  options: BatchOptions,
): Promise<ExitCode> => {
  const run = runIdOf(pipeline, options, world.clock.now());
  try {
    const result = await runNight({
      ...world,
      pipeline,
      yieldsTo: pipelines,
      models: options.models,
      run,
      asOfMs: timeOf('as-of', options.asOf),
      by: options.by,
      lagMax: options.yieldLag,
      waitMsTotalMax: options.yieldMinutes * MINUTE_MS,
      random: systemRandom,
      tell: line => io.say(`  ${line}`),
      progressed: progressTeller(io, world),
      signal: io.signal,
    });
    if (result.wasDone) io.say(`Run ${run} is done since ${new Date(result.run.at).toISOString()}; nothing was scored now.`);
    if (options.output === 'json') io.out(JSON.stringify(manifestOf(result)));
    else print(io, result);
    return EXIT.done;
  } catch (error) {
    if (error instanceof NightRefused) {
      io.say(`refused: ${error.message}`);
      return EXIT.failed;
    }
    if (!io.signal.aborted) io.say(`Run ${run} is not finished: the same command goes on with it.`);
    throw error;
  }
}; // prettier-ignore
