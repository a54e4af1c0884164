import type { FeaturesValue } from '@millrace/contracts';
import { featureNames } from '@millrace/define';
import { type Evidence, placeOf, type Written } from './evidence.ts';
import type { Ideal, IdealVector } from './ideal.ts';

const WRONG_MAX = 5;

/** Vectors equal those of the fold to the last bit, in the same places and the same order; numbers of epochs never fall. */
export function judgeVectors(evidence: Evidence, ideal: Ideal): readonly string[] {
  const names = featureNames(evidence.pipeline.features);
  const wrong: string[] = [];
  const compare = (
    topic: string,
    found: readonly (readonly Written<FeaturesValue>[])[],
    right: readonly (readonly IdealVector[])[],
  ): void => {
    right.forEach((vectors, partition) => {
      const written = found[partition]!;
      const places = written.map(({ value }) =>
        placeOf(value.sourceTopic, value.sourcePartition, value.sourceOffset),
      );
      const rightPlaces = vectors.map(({ place }) => place);
      if (places.join() !== rightPlaces.join()) {
        wrong.push(`order of vectors: ${topic}-${partition} has ${places.join()}, not ${rightPlaces.join()}`);
        return;
      }
      vectors.forEach(({ values, late, place }, i) => {
        const { value } = written[i]!;
        const numbers = names.map(name => value.features[name]!);
        if (numbers.some((number, at) => !Object.is(number, values[at])) || value.late !== late)
          wrong.push(`vectors equal a fold: ${place} has ${numbers.join()} ${String(value.late)}, not ${values.join()} ${String(late)}`); // prettier-ignore
      });
    });
  };
  compare(evidence.world.topics.features, evidence.features, ideal.features);
  compare(evidence.world.topics.aside, evidence.aside, ideal.aside);
  return [...wrong.slice(0, WRONG_MAX), ...judgeEpochs(evidence)];
}

function judgeEpochs({ sentOn }: Evidence): readonly string[] {
  const wrong: string[] = [];
  const last = new Map<string, number>();
  const inOrder = sentOn.toSorted((a, b) => a.readAt!.offset - b.readAt!.offset);
  for (const { epoch, readAt } of inOrder) {
    const { topic, partition, offset } = readAt!;
    const source = `${topic}-${partition}`;
    if (epoch < (last.get(source) ?? epoch))
      wrong.push(`epochs never fall: ${placeOf(topic, partition, offset)}`);
    last.set(source, epoch);
  }
  return wrong.slice(0, WRONG_MAX);
}
