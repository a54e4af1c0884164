/** `millrace batch run`: a portfolio scored once, by the newest vector of each entity. */
import type { Pipeline } from '@millrace/define';
import { NightRefused, type NightResult, runNight } from '@millrace/inference';
import { pipelines } from '@millrace/pipelines';
import { systemRandom, textfileMetrics } from '@millrace/telemetry';
import { runIdFrom, timeOf } from '../flags.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table } from '../io.ts';
import { progressTeller } from '../progress.ts';
import { writeTextfile } from '../textfile.ts';
import type { World } from '../world/prepare.ts';

export interface BatchOptions {
  /** Id of the run; default: the day, or the time of `asOf`. */
  readonly run: string | undefined;
  /** ISO 8601: vectors appended before it. */
  readonly asOf: string | undefined;
  readonly models: string;
  /** Execution provider of the GPU that rules may choose. */
  readonly gpu: string | undefined;
  /** Records that live scoring may be behind before the night waits. */
  readonly yieldLag: number;
  /** Longest wait in all, minutes. */
  readonly yieldMinutes: number;
  readonly by: string;
  /** File for metrics, written whenever the night waits for the stream or goes on, and at the end. */
  readonly metricsFile: string | undefined;
  readonly output: OutputForm;
}

const MINUTE_MS = 60_000;

/** The day of a time in a time zone, YYYY-MM-DD. */
const dayIn = (timeZone: string, ms: number): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(ms);

/** A night a day: whoever asks again on the same day goes on with it, or hears that it is done. */
const runIdOf = ({ name, timeZone }: Pipeline, options: BatchOptions, nowMs: number): string => {
  const asOfMs = timeOf('as-of', options.asOf);
  const basic = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:]|\.000/g, '');
  const run = options.run ?? `${name}-${asOfMs === undefined ? dayIn(timeZone, nowMs) : `as-of-${basic(asOfMs)}`}`;
  return runIdFrom(run);
}; // prettier-ignore

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

/** Metrics of this process, and how they get into a file. */
const fileMetrics = (file: string | undefined) => {
  const textfile = textfileMetrics();
  const write = async (): Promise<void> => {
    if (file !== undefined) writeTextfile(file, await textfile.text());
  };
  return { metrics: textfile.metrics, write };
};

export const batchRun = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  options: BatchOptions,
): Promise<ExitCode> => {
  const run = runIdOf(pipeline, options, world.clock.now());
  const { metrics, write } = fileMetrics(options.metricsFile);
  // A file that cannot be written is told of before anything is scored.
  await write();
  let writing = Promise.resolve();
  try {
    const result = await runNight({
      ...world,
      pipeline,
      yieldsTo: pipelines,
      models: options.models,
      ...(options.gpu !== undefined && { gpu: options.gpu }),
      run,
      asOfMs: timeOf('as-of', options.asOf),
      by: options.by,
      lagMax: options.yieldLag,
      waitMsTotalMax: options.yieldMinutes * MINUTE_MS,
      random: systemRandom,
      metrics,
      tell: line => {
        io.say(`  ${line}`);
        writing = writing.then(write);
        writing.catch(() => undefined); // Heard of at the end.
      },
      progressed: progressTeller(io, world.clock, 'scored'),
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
  } finally {
    await writing.then(write);
  }
}; // prettier-ignore
