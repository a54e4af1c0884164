/** Ids of runs: nights, replays and backfills, by which their groups and transactional ids are named. */
import type { Pipeline } from '@millrace/define';

/** What a part of a topic's name, a group's and a transactional id's may be. */
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** What stands in `runId` where there was no run. */
export const LIVE = 'live';
/** Stands in place of a run where nights read what was put off: in one group, whichever run it is. */
export const DEFERRED = 'deferred';
/** What the records that begin a schedule of nights have for an id, and the end of the group of its schedulers. */
export const SCHEDULE = 'schedule';
const RESERVED: ReadonlySet<string> = new Set([LIVE, DEFERRED, SCHEDULE]);

/** Whether a text can be the id of a run. */
export const isRunId = (text: string): boolean => RUN_ID.test(text) && !RESERVED.has(text);

/** Begin of the groups of nightly runs. */
export const NIGHT_GROUP = 'millrace.night';

/** Group in which one nightly run reads the vectors of its slice: each run begins anew, so each has its own. */
export const nightGroup = (pipeline: Pipeline, run: string): string =>
  `${NIGHT_GROUP}.${pipeline.name}.${run}`;

/** Group in which all nights of a pipeline read what was put off. */
export const deferredGroup = (pipeline: Pipeline): string => nightGroup(pipeline, DEFERRED);

/** Begin of the groups of replays. */
export const REPLAY_GROUP = 'millrace.replay';

/** Group whose offsets say how far a replay is. Nobody joins it: they move in the transactions that carry the copies. */
export const replayGroup = (run: string): string => `${REPLAY_GROUP}.${run}`;
