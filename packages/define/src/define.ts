import { checkPipeline } from './check.ts';
import type { FeatureSet, FeatureView, NightSchedule, Pipeline } from './pipeline.ts';

/** All mistakes of one definition, each naming its place. */
export class DefinitionError extends Error {
  readonly mistakes: readonly string[];
  constructor(name: string, mistakes: readonly string[]) {
    super(`pipeline '${name}' cannot stand as it is written:\n${mistakes.map(m => `- ${m}`).join('\n')}`);
    this.name = 'DefinitionError';
    this.mistakes = mistakes;
  }
}

type Defaulted =
  | 'timeZone'
  | 'partitions'
  | 'reference'
  | 'beside'
  | 'thresholds'
  | 'routes'
  | 'kpis'
  | 'pushes'
  | 'rejects';
type NightInput = Omit<NightSchedule, 'timeZone' | 'attemptsMax'> &
  Partial<Pick<NightSchedule, 'timeZone' | 'attemptsMax'>>;
export type PipelineInput = Omit<Pipeline, Defaulted | 'delivery' | 'night'> &
  Partial<Pick<Pipeline, Defaulted>> & {
    readonly delivery?: Partial<Pipeline['delivery']>;
    readonly night?: NightInput;
  };

const ATTEMPTS_MAX = 3;

const DEFAULTS: Pick<Pipeline, Defaulted | 'delivery'> = {
  timeZone: 'UTC',
  partitions: 6,
  reference: {},
  beside: [],
  thresholds: {},
  routes: [],
  kpis: {},
  pushes: {},
  delivery: { inference: 'exactly_once', epochMs: 100, late: 'fold' },
  rejects: {},
};

/** A pipeline with defaults filled in. @throws DefinitionError with every mistake that can be seen without its schemas */
export const definePipeline = (input: PipelineInput): Pipeline => {
  const delivery = { ...DEFAULTS.delivery, ...input.delivery };
  const { night, ...rest } = input;
  const all = { ...DEFAULTS, ...rest, delivery };
  const pipeline: Pipeline =
    night === undefined
      ? all
      : { ...all, night: { timeZone: all.timeZone, attemptsMax: ATTEMPTS_MAX, ...night } };
  const mistakes = checkPipeline(pipeline);
  if (mistakes.length > 0) throw new DefinitionError(pipeline.name, mistakes);
  return pipeline;
};

export const featureView = (view: FeatureView): FeatureView => view;
export const featureSet = (set: FeatureSet): FeatureSet => set;

/** Names of the vector's values in the model's order: inputs, then the features of the views in theirs. */
export const featureNames = (set: FeatureSet): readonly string[] => [
  ...Object.keys(set.inputs),
  ...set.views.flatMap(view => Object.keys(view.features)),
];
