/** Rows of one batch on the engines that their rules ask for, and what becomes of those whose engine is not there. */
import type { Engine } from '@millrace/define';
import {
  engineOf as engineOfProvider,
  type Isolated,
  type Model,
  type Rows,
  scoreIsolating,
} from '@millrace/model';
import type { Metrics } from '@millrace/telemetry';
import type { Routed } from './routing.ts';

/** Told of rows that were answered on the model's own engine, and not on the one that their rule asks for. */
export type Displaced = (model: Model, engine: Engine, rows: number, cause?: unknown) => void;

/** Counts them, and says once for each model that was loaded what is missing. @param say a cause, where there is one, and a sentence */
export const tellDisplaced = (
  pipeline: string,
  metrics: Metrics,
  say: (cause: unknown, line: string) => void,
): Displaced => {
  const said = new Map<Engine, Model>();
  return (model, engine, rows, cause) => {
    metrics.count('millrace_engine_unavailable_total', { pipeline, engine }, rows);
    if (said.get(engine) === model) return;
    said.set(engine, model);
    const { name, version } = model.manifest;
    const why = model.beside === undefined ? 'is not opened on it here' : 'did not answer on it';
    say(
      cause,
      `rules ask for engine '${engine}', and model ${name} ${version} ${why}: its own engine answers`,
    );
  };
};

export interface OnEngines extends Isolated {
  /** Which of them has answered the row; of one that has failed, either. */
  readonly engineOf: (row: number) => Engine;
  /** Of the calls, those of the model's own engine. */
  readonly ownCalls: Isolated['calls'];
}

/** Rows of a batch, by their places in it. */
const pick = ({ data }: Rows, places: readonly number[], width: number): Rows => {
  const picked = new Float32Array(places.length * width);
  for (const [to, from] of places.entries())
    picked.set(data.subarray(from * width, (from + 1) * width), to * width);
  return { rows: places.length, data: picked };
};

/** Puts the answers of picked rows back to their places. */
const placeInto = (
  into: { readonly data: Float32Array; readonly failed: Map<number, unknown> },
  { data, failed }: Isolated,
  places: readonly number[],
  width: number,
): void => {
  for (const [from, to] of places.entries()) {
    into.data.set(data.subarray(from * width, (from + 1) * width), to * width);
    const failure = failed.get(from);
    if (failure === undefined) into.failed.delete(to);
    else into.failed.set(to, failure);
  }
};

/**
 * Asks a model about a batch, each row on the engine that its rule names; the calls of two engines run side by side.
 * Rows whose engine is not there, is lost, or refuses them are answered on the model's own: only what that one refuses,
 * too, has failed. Where no rule names another engine than the model's own, the batch is asked as it is.
 * @param displaced as `Displaced`, of this model. @throws what the model's own engine throws that is not a row's fault
 */
export const scoreOnEngines = async (
  { scorer, beside, widths }: Model,
  batch: Rows,
  routed: readonly Routed[],
  displaced: (engine: Engine, rows: number, cause?: unknown) => void,
): Promise<OnEngines> => {
  const own = engineOfProvider(scorer.provider);
  const other = own === 'cpu' ? 'gpu' : 'cpu';
  const isOther = ({ engine }: Routed): boolean => engine === other;
  const isAsked = routed.some(isOther);
  if (beside === undefined || !isAsked) {
    if (isAsked) displaced(other, routed.filter(isOther).length);
    const scored = await scoreIsolating(scorer, batch, widths);
    return { ...scored, engineOf: () => own, ownCalls: scored.calls };
  }
  const [here, there] = [[] as number[], [] as number[]];
  for (const [row, one] of routed.entries()) (isOther(one) ? there : here).push(row);
  const ask = (of: typeof scorer, places: readonly number[]): Promise<Isolated> =>
    scoreIsolating(of, pick(batch, places, widths.input), widths);
  // Both have answered before the batch goes on: a model is not freed under a call.
  const [mine, theirs] = await Promise.allSettled([ask(scorer, here), ask(beside, there)]);
  if (mine.status === 'rejected') throw mine.reason;
  const result = { data: new Float32Array(batch.rows * widths.output), failed: new Map() };
  placeInto(result, mine.value, here, widths.output);
  let left: readonly number[] = there;
  if (theirs.status === 'fulfilled') {
    placeInto(result, theirs.value, there, widths.output);
    left = there.filter(row => result.failed.has(row));
  }
  const again = await ask(scorer, left);
  placeInto(result, again, left, widths.output);
  const rows = left.length - again.failed.size;
  const cause: unknown = theirs.status === 'rejected' ? theirs.reason : undefined;
  if (rows > 0 || cause !== undefined) displaced(other, rows, cause);
  const ownCalls = [...mine.value.calls, ...again.calls];
  const theirCalls = theirs.status === 'fulfilled' ? theirs.value.calls : [];
  const isTheirs = new Uint8Array(batch.rows);
  for (const row of there) isTheirs[row] = 1;
  for (const row of left) isTheirs[row] = 0;
  const engineOf = (row: number): Engine => (isTheirs[row] === 1 ? other : own);
  return { ...result, engineOf, calls: [...ownCalls, ...theirCalls], ownCalls };
};
