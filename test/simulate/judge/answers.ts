import { predictionId } from '@millrace/contracts';
import type { Evidence } from './evidence.ts';
import type { Ideal, IdealVector } from './ideal.ts';
import { scoreOf } from '../model.ts';
import { REFUSED_AMOUNT } from '../traffic.ts';

const WRONG_MAX = 5;

/**
 * Each vector is answered: by the model or its fallback with a prediction, or with a letter where the engine refuses it;
 * once in exactly-once mode, else at least once and under the same id. Answers of a topic are in the order of its vectors.
 */
export function judgeAnswers(evidence: Evidence, ideal: Ideal): readonly string[] {
  const { pipeline, predictions, letters, world } = evidence;
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
        const isRefused = vector.event.fields['amount'] === REFUSED_AMOUNT;
        const answers = scored.length + died.length;
        if (once ? answers !== 1 : answers < 1)
          wrong.push(
            `scored once: ${vector.place} has ${scored.length} predictions and ${died.length} letters`,
          );
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
      if (once) wrong.push(...outOfOrder(mine.map(({ value }) => value.vectorOffset), `${topic}-${partition}`)); // prettier-ignore
    });
  const total = predictions.flat().length;
  if (total !== answered) wrong.push(`scored once: ${total - answered} predictions of no vector`);
  return wrong.slice(0, WRONG_MAX);
}

const idOf = (pipeline: string, { event }: IdealVector): string =>
  predictionId(pipeline, event.eventId, event.revision, 'live', 'answer', 0);

function outOfOrder(offsets: readonly number[], where: string): readonly string[] {
  return offsets.some((offset, i) => i > 0 && offset <= offsets[i - 1]!)
    ? [`order of predictions: those of ${where} have vectors ${offsets.join()}`]
    : [];
}
