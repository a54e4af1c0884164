/** What is compared with what: two runs, or a run with the stream, as `millrace.runs.v1` describes them. */
import { consumerGroup, LIVE, nightGroup, type Run, type Stretch, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { capturedOf, type NightTerms, RunLog, sliceIsWhole } from '@millrace/inference';
import type { World } from '../world/prepare.ts';

/** The comparison cannot be made as it was asked for; the message says why, and what can be done. */
export class ReconcileRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ReconcileRefused';
  }
}

const NIGHT = 'night';

export const SIDES = ['run', 'against'] as const;
export type SideName = (typeof SIDES)[number];

export interface Side {
  /** `live`, or the id of a run. */
  readonly id: string;
  /** `live`, or what kind of run it is. */
  readonly kind: string;
  /** Its records on `millrace.runs.v1`: as it was captured and as it ended; none of the stream. */
  readonly captured: Run | undefined;
  readonly ended: Run | undefined;
  /** Stretches that it is compared over: its own, or of the stream those of the other side. */
  readonly slice: readonly Stretch[];
  /** Version of the feature set whose vectors the slice holds. */
  readonly featureSet: number;
  /** The newest vector of each entity can still be found in the slice. */
  readonly isWhole: boolean;
  /** Offsets by partition at which its answers and its dead letters can begin. */
  readonly answersFrom: NightTerms['answersFrom'];
  /** Group whose dead letters are its own. */
  readonly group: string;
}

export interface Comparison {
  readonly pipeline: Pipeline;
  /** Where a night takes part: of each entity the newest vector of the slice. Else each event and revision of its own. */
  readonly unit: 'entity' | 'event';
  readonly run: Side;
  readonly against: Side;
}

const ANYWHERE: NightTerms['answersFrom'] = { predictions: [], letters: [] };
const CHECKED_STATES = new Set(['done', 'failed']);

const timeOf = (run: Run, { asOf }: Partial<NightTerms>): number =>
  asOf === null || asOf === undefined ? run.at : Date.parse(asOf);

const runSide = async (world: World, pipeline: Pipeline, log: RunLog, id: string): Promise<Side> => {
  const records = await log.of(id);
  const captured = capturedOf(records);
  if (captured === undefined)
    throw new ReconcileRefused(`millrace.runs.v1 knows no run ${id}: check the id, or do the run first`);
  const { run, terms } = captured;
  if (run.pipeline !== pipeline.name)
    throw new ReconcileRefused(`run ${id} is of pipeline ${run.pipeline}: say --pipeline ${run.pipeline}`);
  const ended = records.findLast(({ state }) => CHECKED_STATES.has(state));
  if (ended === undefined)
    throw new ReconcileRefused(`run ${id} is not finished: ask for it again, so that it goes on, and reconcile then`);
  const isNight = run.kind === NIGHT;
  const topic = run.slice[0]?.topic;
  return {
    id, kind: run.kind, captured: run, ended, slice: run.slice, featureSet: run.featureSet,
    isWhole: isNight && topic !== undefined && (await sliceIsWhole(world.broker.admin, topic, timeOf(run, terms), world.clock.now())),
    answersFrom: isNight ? terms.answersFrom : ANYWHERE,
    group: nightGroup(pipeline, id),
  };
}; // prettier-ignore

/** @throws ReconcileRefused */
export const findSides = async (
  world: World,
  pipeline: Pipeline,
  ids: Readonly<Record<SideName, string>>,
): Promise<Comparison> => {
  const log = await RunLog.open(world.broker, world.registry);
  const runOf = (id: string): Promise<Side | undefined> =>
    id === LIVE ? Promise.resolve(undefined) : runSide(world, pipeline, log, id);
  const [run, against] = [await runOf(ids.run), await runOf(ids.against)];
  const known = run ?? against;
  if (known === undefined) throw new ReconcileRefused('the stream is compared with a run: say --run ID');
  const live: Side = {
    ...known,
    id: LIVE, kind: LIVE, captured: undefined, ended: undefined, answersFrom: ANYWHERE,
    group: consumerGroup('inference', pipeline),
  }; // prettier-ignore
  const unit = [run, against].some(side => side?.kind === NIGHT) ? 'entity' : 'event';
  const hasLive = run === undefined || against === undefined;
  if (unit === 'entity' && hasLive && !known.isWhole)
    throw new ReconcileRefused(
      `the slice of run ${known.id} is too old: compaction of ${known.slice[0]?.topic ?? topicsOf(pipeline).features} may have taken vectors of it, ` +
        'so nobody can tell which answer of the stream belongs to it. Two nights can still be compared; the stream is compared within min.compaction.lag.ms',
    );
  return { pipeline, unit, run: run ?? live, against: against ?? live };
}; // prettier-ignore

/** Offset behind a slice in one partition of a topic; undefined where the slice does not hold that partition. */
export const stretchOf = (
  { slice }: Pick<Side, 'slice'>,
  partition: number,
  topic?: string,
): Stretch | undefined =>
  slice.find(one => one.partition === partition && (topic === undefined || one.topic === topic));
