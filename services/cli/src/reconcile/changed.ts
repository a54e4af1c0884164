import { Bad, openCodec } from '@millrace/avro';
import { catalogue, type PredictionValue, scoredValues, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { World } from '../world/prepare.ts';
import { recordAt } from '../world/slice.ts';
import type { Answer } from './answer.ts';
import type { SideName } from './sides.ts';

/** A feature value that is not the same in two vectors; null where there is none, or it is missing. */
export interface ChangedFeature {
  readonly name: string;
  readonly run: number | null;
  readonly against: number | null;
}

/** Reads both predictions again, since of the many that are compared only a hash of the vector is kept. */
export const changedFeatures = async (
  world: World,
  pipeline: Pipeline,
  partition: number,
  answers: Readonly<Record<SideName, Answer>>,
): Promise<readonly ChangedFeature[]> => {
  const { predictions: topic } = topicsOf(pipeline);
  const codec = await openCodec<PredictionValue>(
    world.registry,
    catalogue([pipeline]).find(({ name }) => name === topic)!.value!,
  );
  const valuesOf = scoredValues(pipeline);
  const vectorOf = async ({ offset }: Answer): Promise<Readonly<Record<string, number>>> => {
    const seen = await recordAt(world.broker, { topic, partition, offset }, codec);
    return seen === undefined || seen.value === null || seen.value instanceof Bad ? {} : valuesOf(seen.value);
  };
  const [run, against] = [await vectorOf(answers.run), await vectorOf(answers.against)];
  const shown = (value: number | undefined): number | null =>
    value === undefined || Number.isNaN(value) ? null : value;
  return [...new Set([...Object.keys(run), ...Object.keys(against)])]
    .filter(name => !Object.is(run[name], against[name]))
    .map(name => ({ name, run: shown(run[name]), against: shown(against[name]) }));
};
