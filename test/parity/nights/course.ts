/**
 * Stream and night over one portfolio that ships, on a real stack, by the command line: the same vectors and scores; run
 * twice nothing is added; killed with -9 half-way and asked for again the same set; planted differences are found.
 */
import { type Report, startServices, type World } from '@millrace/cli';
import { consumerGroup, nightGroup, type PredictionValue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type Commands, type Ended, millrace } from './command.ts';
import { answersOf, plant, send, valuesOf, type Where } from './plant.ts';

export interface CourseOptions extends Commands {
  readonly world: World;
  readonly pipeline: Pipeline;
  /** Portfolio with its parts, such as `taiwan` or `taiwan:test`. */
  readonly portfolio: string;
  readonly addresses: { readonly kafka: string; readonly registry: string; readonly postgres: string };
  readonly directory: string;
  /** In the ids of its runs: nobody else on the stack has it. */
  readonly name: string;
}

export interface Manifest {
  readonly entities: number;
  readonly scored: number;
  readonly deadLettered: number;
  readonly repeated: number;
  readonly digest: string;
}

/** Clients that change after they were first scored, so that there are older vectors. */
const UPDATED = 300;
const POLL_MS = 20;
const STREAM_MS_MAX = 300_000;
/** Share of the slice behind which a run is killed. */
const KILLED_AT = 0.3;
const KILLS_MAX = 5;

const manifestOf = ({ code, last }: Ended): Manifest => {
  if (code !== 0) throw new Error(`the night ended with code ${code}`);
  return JSON.parse(last) as Manifest;
};

const sumOf = (at: readonly { readonly offset: number }[]): number =>
  at.reduce((sum, { offset }) => sum + offset, 0);

/** Until a group has passed what there is on a topic; the marker that ends a transaction may be left. */
const untilPassed = async ({ world, signal }: CourseOptions, group: string, topic: string): Promise<void> => {
  const { admin } = world.broker;
  const endMs = world.clock.now() + STREAM_MS_MAX;
  for (;;) {
    const ends = await admin.endOffsets(topic);
    const done = await admin.committed(group, [topic]);
    const leftOf = ({ partition, offset }: (typeof ends)[number]): number => offset - (done.find(at => at.partition === partition)?.offset ?? 0);
    if (ends.every(end => leftOf(end) <= 1)) return;
    if (world.clock.now() > endMs) throw new Error(`${group} has come to ${sumOf(done)} of ${sumOf(ends)} records of ${topic}`);
    await world.clock.sleep(100, signal);
  }
}; // prettier-ignore

/** The first clients again, each with a record of a day later. */
const update = async (where: Where): Promise<void> => {
  const { pipeline } = where;
  const { time } = pipeline.events[pipeline.scores]!;
  const topic = topicsOf(pipeline).scored;
  const changed: Record<string, unknown>[] = [];
  for await (const value of valuesOf<Record<string, unknown>>(where, topic)) {
    if (changed.length === UPDATED) break;
    changed.push({ ...value, eventId: `${String(value['eventId'])}-next`, [time]: Number(value[time]) + 86_400_000 });
  }
  await send(where, topic, changed, value => String(value[pipeline.entity]));
}; // prettier-ignore

/** Sends the portfolio through the services that run, and changes some of it. @returns seconds until all were scored */
export const streamed = async (options: CourseOptions): Promise<number> => {
  const { world, pipeline, portfolio } = options;
  const startMs = performance.now();
  const sent = await millrace(options, `publish --pipeline ${pipeline.name} --portfolio ${portfolio} --output json`); // prettier-ignore
  if (sent.code !== 0) throw new Error(`publish ended with code ${sent.code}`);
  await update({ world, pipeline });
  const { scored, features } = topicsOf(pipeline);
  await untilPassed(options, consumerGroup('feature', pipeline), scored);
  await untilPassed(options, consumerGroup('inference', pipeline), features);
  return Number(((performance.now() - startMs) / 1000).toFixed(1));
};

export const withServices = async <T>(options: CourseOptions, use: () => Promise<T>): Promise<T> => {
  const { addresses, directory, environment, pipeline, world, signal, say, name } = options;
  const services = await startServices({
    names: ['feature', 'inference'], addresses, directory, environment: { ...environment, MILLRACE_PIPELINES: pipeline.name },
    clock: world.clock, signal, apiKey: 'none', token: `millrace-${name}`, say,
  }); // prettier-ignore
  try {
    return await use();
  } finally {
    await services.stop();
  }
};

export const nightOf = async (
  options: CourseOptions,
  run: string,
): Promise<Manifest & { readonly seconds: number }> => {
  const ended = await millrace(options, `batch run --pipeline ${options.pipeline.name} --run ${run} --output json`); // prettier-ignore
  return { ...manifestOf(ended), seconds: ended.seconds };
};

/** Ends of the predictions topic before and after the same run is asked for again. */
export const again = async (options: CourseOptions, run: string): Promise<{ readonly added: number; readonly digest: string }> => {
  const { predictions } = topicsOf(options.pipeline);
  const ends = async () => sumOf(await options.world.broker.admin.endOffsets(predictions));
  const before = await ends();
  const { digest } = await nightOf(options, run);
  return { added: (await ends()) - before, digest };
}; // prettier-ignore

export interface Killed {
  readonly run: string;
  /** Answers that were committed when it was killed. */
  readonly before: number;
}

/** A run that was killed in its midst: of several tries the first that was. */
export const killed = async (options: CourseOptions): Promise<Killed> => {
  const { world, pipeline, name, signal } = options;
  const { admin } = world.broker;
  const { features } = topicsOf(pipeline);
  const until = sumOf(await admin.endOffsets(features)) * KILLED_AT;
  for (let n = 1; n <= KILLS_MAX; n++) {
    const run = `${name}-killed-${n}`;
    const ended = await millrace(options, `batch run --pipeline ${pipeline.name} --run ${run}`, async (kill, isOver) => {
      while (!isOver() && sumOf(await admin.committed(nightGroup(pipeline, run), [features])) < until)
        await world.clock.sleep(POLL_MS, signal);
      kill();
    }); // prettier-ignore
    const before = (await answersOf({ world, pipeline }, run)).length;
    if (ended.code === null && before > 0) return { run, before };
  }
  throw new Error(`of ${KILLS_MAX} nights none was killed in its midst: take a larger portfolio`);
};

export const reconciled = async ({ pipeline, ...options }: CourseOptions, run: string, against: string): Promise<{ readonly code: number | null; readonly report: Report }> => {
  const { code, last } = await millrace(options, `reconcile --pipeline ${pipeline.name} --run ${run} --against ${against} --output json`);
  return { code, report: JSON.parse(last) as Report };
}; // prettier-ignore

/** By entity, what was done to its answer, and what a reconciliation has to say. */
export type Planted = Readonly<Record<'score' | 'no-answer' | 'stale-vector', string>>;

/** Like another run, but for one changed score, one answer that is missing and one from an older vector. */
export const planted = async (options: CourseOptions, run: string, like: string): Promise<Planted> => {
  const where = { world: options.world, pipeline: options.pipeline };
  const answers = await answersOf(where, like);
  const live = Map.groupBy(await answersOf(where, 'live'), ({ entity }) => entity);
  const isOlder = (of: PredictionValue) => (old: PredictionValue) => old.vectorOffset < of.vectorOffset && old.route === of.route;
  const stale = answers.find(one => live.get(one.entity)?.some(isOlder(one)) === true);
  if (stale === undefined) throw new Error('no entity has an older vector');
  const [score, missing] = answers.filter(({ entity }) => entity !== stale.entity);
  const changed = answers.flatMap((one): readonly PredictionValue[] => {
    if (one === missing) return [];
    if (one === stale) return [live.get(one.entity)!.find(isOlder(one))!];
    return [one === score ? { ...one, outputs: { score: one.outputs['score']! + 0.25 } } : one];
  });
  await plant(where, run, like, changed);
  return { score: score!.entity, 'no-answer': missing!.entity, 'stale-vector': stale.entity };
}; // prettier-ignore
