import { type Deferred, predictionId, type PredictionValue } from '@millrace/contracts';
import type { Evidence } from './evidence.ts';
import type { Ideal, IdealVector } from './ideal.ts';
import { scoreOf } from '../model.ts';
import { ruleFor } from '../rules.ts';
import { REFUSED_AMOUNT } from '../traffic.ts';

const WRONG_MAX = 5;

/**
 * Each vector is answered: by the model or its fallback with a prediction, or with a letter where the engine refuses it,
 * or put off where a rule says so; once in exactly-once mode, else at least once and under the same id. Answers of a topic
 * are in the order of its vectors.
 */
export function judgeAnswers(evidence: Evidence, ideal: Ideal): readonly string[] {
  const { pipeline, predictions, deferred, letters, world } = evidence;
  const once = pipeline.delivery.inference === 'exactly_once';
  const wrong: string[] = [];
  const { features, aside } = world.topics;
  let answered = 0;
  for (const [topic, vectors, written] of [
    [features, ideal.features, evidence.features],
    [aside, ideal.aside, evidence.aside],
  ] as const)
    vectors.forEach((ofPartition, partition) => {
      const offsets = new Map(
        ofPartition.map((vector, i) => [idOf(pipeline.name, vector), written[partition]![i]!.offset]),
      );
      const mine = predictions[partition]!.filter(({ value }) => offsets.has(value.predictionId));
      answered += mine.length;
      const dead = letters.filter(({ header }) => header('__dlq.errors.topic') === topic && Number(header('__dlq.errors.partition')) === partition); // prettier-ignore
      for (const vector of ofPartition) {
        const id = idOf(pipeline.name, vector);
        const scored = mine.filter(({ value }) => value.predictionId === id);
        const died = dead.filter(({ header }) => Number(header('__dlq.errors.offset')) === offsets.get(id));
        const putOff = deferred[partition]!.map(({ value }) => value).filter(
          of => of.topic === topic && of.offset === offsets.get(id),
        );
        const isRefused = vector.event.fields['amount'] === REFUSED_AMOUNT;
        const answers = scored.length + died.length + putOff.length;
        if (once ? answers !== 1 : answers < 1)
          wrong.push(
            `answered once: ${vector.place} has ${scored.length} predictions, ${died.length} letters, and was put off ${putOff.length} times`,
          );
        wrong.push(...againstRules(evidence, vector, scored.map(({ value }) => value), putOff)); // prettier-ignore
        for (const { value } of scored) {
          const score = value.fallback === null ? scoreOf(vector.values) : Math.fround(0.01);
          if (Math.fround(value.outputs['score']!) !== score || (isRefused && value.fallback === null))
            wrong.push(`scored right: ${vector.place} has ${String(value.outputs['score'])}, not ${score}`);
          if (value.vectorOffset !== offsets.get(id))
            wrong.push(`scored right: ${vector.place} names another vector`);
        }
        if (died.length > 0 && !isRefused)
          wrong.push(
            `scored right: ${vector.place} has a letter: ${died[0]!.header('__dlq.errors.message')}`,
          );
      }
      if (once) wrong.push(...fallingVersions(mine.map(({ value }) => value), deferred[partition]!.map(({ value }) => value).filter(of => of.topic === topic), `${topic}-${partition}`)); // prettier-ignore
      if (once) wrong.push(...outOfOrder(mine.map(({ value }) => value.vectorOffset), `${topic}-${partition}`)); // prettier-ignore
    });
  const total = predictions.flat().length;
  if (total !== answered) wrong.push(`answered once: ${total - answered} predictions of no vector`);
  return wrong.slice(0, WRONG_MAX);
}

/** What was put off, and what was not, went by the rules whose version it tells. */
const againstRules = (
  { course: { rules } }: Evidence,
  { event, place }: IdealVector,
  scored: readonly PredictionValue[],
  putOff: readonly Deferred[],
): readonly string[] =>
  [...scored, ...putOff].flatMap(one => {
    const right = ruleFor(rules, one.routeVersion, event.fields['amount'] as number);
    const isPutOff = 'vector' in one;
    return one.route === right && isPutOff === (right === 'small')
      ? []
      : [`by the rules: ${place} was ${isPutOff ? 'put off' : 'scored'} by '${one.route}', not '${right}', of version ${one.routeVersion}`];
  }); // prettier-ignore

/** Rules hold from one vector of a partition on. */
const fallingVersions = (
  scored: readonly PredictionValue[],
  putOff: readonly Deferred[],
  where: string,
): readonly string[] => {
  const versions = [
    ...scored.map(({ vectorOffset, routeVersion }) => [vectorOffset, routeVersion] as const),
    ...putOff.map(({ offset, routeVersion }) => [offset, routeVersion] as const),
  ].toSorted(([a], [b]) => a - b);
  return versions.some(([, version], i) => i > 0 && version < versions[i - 1]![1])
    ? [`by the rules: versions of ${where} fall: ${versions.map(of => of.join(' by ')).join()}`]
    : [];
};

const idOf = (pipeline: string, { event }: IdealVector): string =>
  predictionId(pipeline, event.eventId, event.revision, 'live', 'answer', 0);

function outOfOrder(offsets: readonly number[], where: string): readonly string[] {
  return offsets.some((offset, i) => i > 0 && offset <= offsets[i - 1]!)
    ? [`order of predictions: those of ${where} have vectors ${offsets.join()}`]
    : [];
}
