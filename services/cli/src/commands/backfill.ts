/** `millrace features backfill`: a version of a feature set from history, beside the one that is served. */
import { type Run, SERVING } from '@millrace/contracts';
import { everySet, type Pipeline } from '@millrace/define';
import {
  captureBackfill,
  DISORDER_MS_DEFAULT,
  findBackfill,
  finishBackfill,
  SLICE_MS_DEFAULT,
} from '@millrace/feature';
import { Building, type HowFar } from '../features/building.ts';
import { setOf } from '../features/sets.ts';
import { Rate } from '../features/rate.ts';
import { timeOf } from '../flags.ts';
import { EXIT, type ExitCode, type Io, UsageError } from '../io.ts';
import { durationOf } from '../progress.ts';
import type { World } from '../world/prepare.ts';
import { readControl } from '../world/control.ts';
import { type SwitchOptions, switchSet } from './switchSet.ts';

export interface BackfillFlags extends Omit<SwitchOptions, 'evenBehind'> {
  /** Events that arrived before are left out (ISO 8601). */
  readonly from: string | undefined;
  /** Events that arrived later are folded as they arrived, not by their time (ISO 8601); default: now. */
  readonly to: string | undefined;
  /** Version whose recorded epochs are used again, in place of slices of order time. */
  readonly epochsOf?: number | undefined;
  /** Width of slices, milliseconds; default: an hour. */
  readonly slice?: number | undefined;
  /** How much older than one before it in its partition an event may be, milliseconds; default: an hour. */
  readonly disorder?: number | undefined;
  /** Whether inference is to take it once it has caught up. */
  readonly switch: boolean;
}

/** How often it looks, and says what it sees. */
const LOOK_MS = 2_000;
const RATE_MS = 30_000;

const whole = (n: number): string => Math.round(n).toLocaleString('en');

const lineOf = ({ history, eventsBehind, eventTimeMs }: HowFar, perSecond: number | undefined): string => {
  const isPast = history.done < history.all;
  return [
    isPast
      ? `history ${((100 * history.done) / history.all).toFixed(1)} %, ${whole(history.done)} of ${whole(history.all)} events`
      : `history done, ${whole(history.all)} events`,
    ...(isPast && eventTimeMs !== undefined
      ? [`at ${new Date(eventTimeMs).toISOString().slice(0, 16)}Z`]
      : []),
    `${whole(eventsBehind)} to do`,
    ...(perSecond === undefined || perSecond <= 0 ? [] : [`${whole(perSecond)} events/s`]),
    ...(perSecond !== undefined && perSecond > 0 && eventsBehind > 0
      ? [`${durationOf(eventsBehind / perSecond)} left`]
      : []),
  ].join(', ');
};

const captured = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  set: Pipeline,
  flags: BackfillFlags,
): Promise<Run> => {
  const [fromMs, toMs] = [timeOf('from', flags.from), timeOf('to', flags.to)];
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs)
    throw new UsageError('--from has to be before --to');
  const { captured: before } = await findBackfill(world, set);
  if (before !== undefined) {
    io.say(
      `${before.run} was begun by ${before.by} at ${new Date(before.at).toISOString()}; going on with it.`,
    );
    return before;
  }
  const building = await Building.open(world, set, undefined, io.signal);
  try {
    const { members, hasCommitted } = await building.look();
    if (members > 0 || hasCommitted)
      throw new UsageError(
        `version ${flags.version} of the feature set of ${set.name} has begun without its history, and cannot be given one: ` +
          'give the set a new version',
      );
  } finally {
    await building.close();
  }
  if (flags.epochsOf !== undefined) {
    if (toMs !== undefined)
      throw new UsageError('--epochs-of goes as far as that version has come: leave --to out');
    if (flags.slice !== undefined || flags.disorder !== undefined)
      throw new UsageError('--epochs-of takes epochs as they were: leave --slice and --disorder out');
    if (flags.epochsOf === flags.version)
      throw new UsageError('--epochs-of names another version than --version');
    setOf(pipeline, flags.epochsOf);
  }
  const when = {
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
    ...(flags.epochsOf !== undefined && { epochsOf: flags.epochsOf }),
  };
  const { slice: sliceMs = SLICE_MS_DEFAULT, disorder: disorderMs = DISORDER_MS_DEFAULT, by } = flags;
  const run = await captureBackfill({ ...world, pipeline: set, ...when, sliceMs, disorderMs, by });
  const events = run.slice.reduce((sum, { from, until }) => sum + until - from, 0);
  io.say(`${run.run} is fixed: ${whole(events)} events of history.`);
  return run;
};

/** Resolves when everything that is there is folded, but for what arrives in a moment. */
const caughtUp = async (io: Io, world: World, set: Pipeline, run: Run, lagMax: number): Promise<HowFar> => {
  const { clock } = world;
  const building = await Building.open(world, set, run, io.signal);
  const rate = new Rate(RATE_MS);
  let isAlone = false;
  try {
    for (;;) {
      const seen = await building.look();
      rate.add(clock.now(), -seen.eventsBehind);
      if (seen.members === 0 && !isAlone)
        io.say(
          `Nobody computes it: start the feature service with MILLRACE_PIPELINES=${set.name}@${set.features.version}.`,
        );
      isAlone = seen.members === 0;
      io.say(lineOf(seen, rate.perSecond));
      // Who has died since does not keep up any more.
      const isThere = seen.history.done === seen.history.all && seen.recordsBehind <= lagMax;
      if (isThere && seen.members > 0) return seen;
      await clock.sleep(LOOK_MS, io.signal);
    }
  } finally {
    await building.close();
  }
};

export const backfillFeatures = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  flags: BackfillFlags,
): Promise<ExitCode> => {
  const set = setOf(pipeline, flags.version);
  const serving = (await readControl(world)).find(pipeline.name, 'feature-set', SERVING)?.version;
  if ((serving ?? pipeline.features.version) === flags.version)
    throw new UsageError(
      `version ${flags.version} is served already; define a further one under 'beside' (there are ${everySet(
        pipeline,
      )
        .map(({ features }) => features.version)
        .join(', ')})`,
    );
  const beganMs = world.clock.now();
  const run = await captured(io, world, pipeline, set, flags);
  const { history } = await caughtUp(io, world, set, run, flags.lagMax);
  const report = { events: history.all, seconds: Math.round((world.clock.now() - beganMs) / 1000) };
  if ((await findBackfill(world, set)).done === undefined) await finishBackfill(world, run, flags.by, report);
  if (flags.output === 'json') io.out(JSON.stringify({ run: run.run, ...report }));
  else io.out(`${run.run} has caught up: ${whole(report.events)} events of history.`);
  if (!flags.switch) {
    io.say(
      `It is not served: millrace features switch --pipeline ${pipeline.name} --version ${flags.version} does that.`,
    );
    return EXIT.done;
  }
  return switchSet(io, world, pipeline, { ...flags, evenBehind: false });
};
