/** One event over HTTP, as its sender sees it: accepted, then an answer by its id, in the trace that it came with. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeStack } from '../jest/stack.ts';
import {
  answersTo,
  endsOf,
  eventually,
  type Journey,
  payments,
  postEvents,
  startJourney,
  TOPICS,
} from './world.ts';

const LIMIT_MS = 120_000;
const TRACE = 'a'.repeat(32);

describeStack('an event over HTTP', () => {
  let journey: Journey;
  beforeAll(async () => {
    journey = await startJourney();
  }, LIMIT_MS);
  afterAll(() => journey.close(), LIMIT_MS);

  test(
    'its prediction carries the trace it was sent in, and the sink answers by its id',
    async () => {
      const from = await endsOf(journey.world, TOPICS.predictions);
      const [event] = payments(1, 1);
      const accepted = await postEvents(journey, JSON.stringify(event), {
        traceparent: `00-${TRACE}-${'b'.repeat(16)}-01`,
      });
      expect(accepted.status).toBe(202);
      const [prediction] = await answersTo(journey.world, from, [event!.eventId]);
      expect(prediction!.traceparent).toContain(TRACE);
      const path = `http://127.0.0.1:${journey.services.port('sink')}/v1/fraud/predictions/`;
      const found = await eventually(
        () => fetch(path + event!.eventId),
        answer => answer.status === 200,
        answer => `status ${answer.status}`,
      );
      const { predictions } = (await found.json()) as {
        predictions: { prediction_id: string; decision: string }[];
      };
      expect(predictions.map(p => [p.prediction_id, p.decision])).toEqual([
        [prediction!.predictionId, prediction!.decision],
      ]);
      expect((await fetch(`${path}nobody-sent-this`)).status).toBe(404);
    },
    LIMIT_MS,
  );
});
