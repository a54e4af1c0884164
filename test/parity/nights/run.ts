/** The whole course over a portfolio on a stack of its own, and what came of it. */
import { FIRST_MODEL_VERSION, prepare, type Report } from '@millrace/cli';
import {
  again,
  type CourseOptions,
  killed,
  nightOf,
  planted,
  reconciled,
  streamed,
  withServices,
} from './course.ts';

export interface NightsResult {
  readonly portfolio: string;
  /** Entities in the slice. */
  readonly entities: number;
  /** From the first record sent to the last one scored in the stream. */
  readonly streamSeconds: number;
  /** With the start of the process. */
  readonly nightSeconds: number;
  readonly digest: string;
  readonly killed: { readonly before: number; readonly after: number; readonly digest: string };
  /** Records on the predictions topic after the run was asked for again. */
  readonly added: number;
  readonly reconciled: Readonly<Record<'withStream' | 'killedWithWhole', Report['outcomes']>>;
  readonly largestDifference: number | null;
  readonly planted: { readonly code: number | null; readonly outcomes: Report['outcomes']; readonly causes: Readonly<Record<string, string>> };
  /** What is not as it has to be. */
  readonly wrong: readonly string[];
} // prettier-ignore

const causesOf = ({ examples }: Report): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...examples.differing, ...examples.missing, ...examples.extra].map(one => [one.entity, one.causes[0]!.cause]),
  ); // prettier-ignore

const differencesIn = ({ differing, missing, extra, unanswered }: Report['outcomes']): number =>
  differing + missing + extra + unanswered;

export const runNights = async (options: CourseOptions): Promise<NightsResult> => {
  const { world, pipeline, portfolio, name } = options;
  await prepare(world, [pipeline], () => FIRST_MODEL_VERSION);
  return withServices(options, async () => {
    const streamSeconds = await streamed(options);
    const run = `${name}-whole`;
    const whole = await nightOf(options, run);
    const twice = await again(options, run);
    const broken = await killed(options);
    const resumed = await nightOf(options, broken.run);
    const withStream = await reconciled(options, run, 'live');
    const killedWithWhole = await reconciled(options, broken.run, run);
    const changed = await planted(options, `${name}-planted`, run);
    const found = await reconciled(options, `${name}-planted`, 'live');
    const causes = causesOf(found.report);
    const { entities, digest } = whole;
    const checks: readonly (readonly [string, boolean])[] = [
      ['each entity is scored once', whole.scored === entities && whole.repeated === 0],
      ['run twice adds nothing', twice.added === 0 && twice.digest === digest],
      ['it was killed half-way', broken.before < entities],
      ['killed and resumed gives the same set', resumed.digest === digest && resumed.scored === entities && resumed.repeated === 0],
      ['stream and night agree', withStream.code === 0 && differencesIn(withStream.report.outcomes) === 0 && withStream.report.outcomes.matched === entities],
      ['killed and whole agree', killedWithWhole.code === 0 && differencesIn(killedWithWhole.report.outcomes) === 0],
      ['planted differences are found', found.code === 3 && differencesIn(found.report.outcomes) === 3],
      ...Object.entries(changed).map(([cause, entity]) => [`${cause} is told of ${entity}`, causes[entity] === cause] as const),
    ];
    return {
      portfolio, entities, streamSeconds, nightSeconds: whole.seconds, digest,
      killed: { before: broken.before, after: resumed.scored, digest: resumed.digest },
      added: twice.added,
      reconciled: { withStream: withStream.report.outcomes, killedWithWhole: killedWithWhole.report.outcomes },
      largestDifference: withStream.report.largestDifference,
      planted: { code: found.code, outcomes: found.report.outcomes, causes },
      wrong: checks.filter(([, isRight]) => !isRight).map(([what]) => what),
    };
  });
}; // prettier-ignore

export const nightsLines = (result: NightsResult): readonly string[] => [
  `${result.entities} entities of ${result.portfolio}; streamed in ${result.streamSeconds} s, a night of ${result.nightSeconds} s`,
  `stream and night: ${JSON.stringify(result.reconciled.withStream)}, largest difference of a score ${result.largestDifference}`,
  `asked for again: ${result.added} records added`,
  `killed after ${result.killed.before} answers and resumed: ${result.killed.after} answers, digest ${result.killed.digest === result.digest ? 'the same' : 'ANOTHER'}`,
  `planted: code ${result.planted.code}, ${JSON.stringify(result.planted.causes)}`,
]; // prettier-ignore
