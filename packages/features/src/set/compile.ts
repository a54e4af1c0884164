import {
  compileNumber,
  featureNames,
  hashFeatureSet,
  namesIn,
  parseDuration,
  type Pipeline,
} from '@millrace/define';
import { type CompiledStage, compileStage, referencesOf } from './stage.ts';

/** A feature set as something that runs: stages, one for each entity key, and the vector at the end. */
export interface CompiledSet {
  readonly version: number;
  readonly hash: string;
  /** Stream whose events have vectors. */
  readonly scores: string;
  /** Names of the vector's values, in order. */
  readonly names: readonly string[];
  /** Names of the values of reference tables that stand beside the vector. */
  readonly reference: readonly string[];
  /** In the order in which events pass them; at least one, which knows duplicates. */
  readonly stages: readonly CompiledStage[];
  /**
   * The vector of an event from its fields and from what each stage gave, in the order of the stages. Everything is
   * computed in double precision and rounded to float32 at the end; missing is NaN.
   */
  finish(fields: Readonly<Record<string, unknown>>, partials: readonly ArrayLike<number>[]): Float32Array;
  /** The same, before it is rounded, into as many numbers: for who writes floats anyway. */
  doubles(
    fields: Readonly<Record<string, unknown>>,
    partials: readonly ArrayLike<number>[],
    into: number[],
  ): void;
  /** The values of `reference`, in its order, in double precision; missing is NaN. */
  referenceOf(partials: readonly ArrayLike<number>[]): readonly number[];
}

export interface CompileOptions {
  /**
   * How much older than its key's newest an event may be and still find its whole windows, milliseconds. Also how long
   * after an event its duplicates are known for certain. Default one day.
   */
  readonly allowanceMs?: number;
}

export const ALLOWANCE_MS = parseDuration('1d') as number;

interface Hand {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly values: number[];
}

/** Names in an order in which each follows all it rests on; a checked definition has no cycles. */
const restingOrder = (rests: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] => {
  const ordered = new Set<string>();
  const place = (name: string): void => {
    if (ordered.has(name)) return;
    for (const under of rests.get(name) ?? []) place(under);
    ordered.add(name);
  };
  for (const name of rests.keys()) place(name);
  return [...ordered];
};

/** Puts what the stages gave of these names into their order. */
const placing = (names: readonly string[], stages: readonly CompiledStage[]) => {
  const places = stages.flatMap(({ features }, s) =>
    features.map((name, i) => ({ s, i, to: names.indexOf(name) })).filter(({ to }) => to >= 0),
  );
  return (partials: readonly ArrayLike<number>[], values: number[]): void => {
    for (let p = 0; p < places.length; p++) {
      const { s, i, to } = places[p]!;
      values[to] = partials[s]![i]!;
    }
  };
};

const compileFinish = (
  pipeline: Pipeline,
  names: readonly string[],
  stages: readonly CompiledStage[],
): CompiledSet['doubles'] => {
  const index = new Map(names.map((name, i) => [name, i]));
  const env = {
    timeZone: pipeline.timeZone,
    field: (name: string) => (hand: Hand) => hand.fields[name],
    feature: (name: string) => {
      const at = index.get(name);
      return at === undefined ? undefined : (hand: Hand) => hand.values[at]!;
    },
  };
  const expressions = new Map(Object.entries(pipeline.features.inputs));
  for (const view of pipeline.features.views)
    for (const [name, d] of Object.entries(view.features))
      if ('expression' in d) expressions.set(name, d.expression);
  const order = restingOrder(new Map([...expressions].map(([name, e]) => [name, namesIn(e, 'feature')])));
  const computed = order.flatMap(name => {
    const expression = expressions.get(name);
    return expression === undefined
      ? []
      : [{ at: index.get(name)!, compute: compileNumber(expression, env) }];
  });
  const place = placing(names, stages);
  return (fields, partials, values) => {
    const hand = { fields, values };
    place(partials, values);
    for (let i = 0; i < computed.length; i++) values[computed[i]!.at] = computed[i]!.compute(hand);
  };
};

/** Compiles a pipeline's feature set. */
export const compileSet = (pipeline: Pipeline, options: CompileOptions = {}): CompiledSet => {
  const { features, events, scores } = pipeline;
  const names = featureNames(features);
  const reference = Object.keys(pipeline.reference);
  const tables = new Set(referencesOf(pipeline).map(({ key }) => key));
  const all = events[scores]?.keys ?? [];
  const wanted = all.filter(
    key =>
      tables.has(key) ||
      features.views.some(v => v.key === key && Object.values(v.features).some(d => 'aggregate' in d)),
  );
  // Where no view keeps anything, the first key does: duplicates, corrections and withdrawals are known by it.
  const keys = wanted.length > 0 ? wanted : all.slice(0, 1);
  const stages = keys.map(key => compileStage(pipeline, key, options.allowanceMs ?? ALLOWANCE_MS));
  const doubles = compileFinish(pipeline, names, stages);
  const placeReference = placing(reference, stages);
  const inHand = names.map(() => 0);
  return {
    version: features.version,
    hash: hashFeatureSet(pipeline),
    scores,
    names,
    reference,
    stages,
    finish: (fields, partials) => {
      doubles(fields, partials, inHand);
      return new Float32Array(inHand);
    },
    doubles,
    referenceOf: partials => {
      const values = reference.map(() => 0);
      placeReference(partials, values);
      return values;
    },
  };
};
