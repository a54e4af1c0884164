/** Processes are killed while events flow: nothing is lost, and nothing has two effects. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase } from '@millrace/sink';
import { describeStack, stackAddresses } from '../jest/stack.ts';
import {
  answerId, answersTo, type Ends, endsOf, eventually, type Journey, type Payment, payments, postEvents, startJourney, TOPICS,
  vectorsSince,
} from './world.ts'; // prettier-ignore

const LIMIT_MS = 120_000;
const EVENTS = 3_000;
const RATE = 600;
const BATCH = 60;
const CUSTOMERS = 200;
type Killed = 'feature' | 'inference' | 'sink';

/** Sends at the rate, and kills when so many events have been accepted. `from`: ends of the predictions. Returns what was sent. */
const sendAndKill = async (
  journey: Journey,
  from: Ends,
  kills: Readonly<Record<number, Killed>>,
): Promise<readonly Payment[]> => {
  const events = payments(EVENTS, CUSTOMERS);
  const { services } = journey;
  const beganMs = Date.now();
  for (let sent = 0; sent < EVENTS; sent += BATCH) {
    const name = kills[sent];
    if (name !== undefined) {
      // A cold process may not have come so far yet: it is to be killed at work.
      await answersTo(journey.world, from, [events[0]!.eventId]);
      process.kill(services.list().find(one => one.name === name)!.pid, 'SIGKILL');
    }
    const answer = await postEvents(journey, JSON.stringify(events.slice(sent, sent + BATCH)));
    if (answer.status !== 202) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`);
    const dueMs = beganMs + ((sent + BATCH) / RATE) * 1000;
    await new Promise(resolve => setTimeout(resolve, Math.max(0, dueMs - Date.now())));
  }
  return events;
};

const idsOf = (events: readonly Payment[]): string[] => events.map(({ eventId }) => eventId);

describeStack('killed with signal 9 while events flow', () => {
  let journey: Journey;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    journey = await startJourney();
    closing.push(() => journey.close());
  }, LIMIT_MS);
  afterAll(async () => {
    for (const close of closing) await close();
  }, LIMIT_MS);

  test(
    'inference: every event is answered, and what is answered twice has one id and one score',
    async () => {
      const { world, said } = journey;
      const from = await endsOf(world, TOPICS.predictions);
      const { pid } = journey.services.list().find(({ name }) => name === 'inference')!;
      const events = await sendAndKill(journey, from, { 1_200: 'inference' });
      const answers = await answersTo(world, from, idsOf(events));
      expect(new Set(answers.map(({ predictionId }) => predictionId))).toEqual(
        new Set(idsOf(events).map(answerId)),
      );
      // The one that was killed answered some of them, and the one after it the rest.
      const byKilled = answers.filter(({ batchId }) => batchId.includes(`-${pid}-`)).length;
      expect(byKilled).toBeGreaterThan(0);
      expect(byKilled).toBeLessThan(EVENTS);
      const first = new Map(answers.map(one => [one.predictionId, one]));
      for (const { predictionId, outputs, features } of answers) {
        expect(first.get(predictionId)!.outputs).toEqual(outputs);
        expect(first.get(predictionId)!.features).toEqual(features);
      }
      expect(said).toEqual(['inference ended (137); starting it again']);
    },
    LIMIT_MS,
  );

  test(
    'feature and sink: each event has one vector, and one row',
    async () => {
      const { world, said } = journey;
      const from = await endsOf(world, TOPICS.predictions);
      const vectorTopics = [TOPICS.features, TOPICS.aside];
      const vectorsFrom = await Promise.all(vectorTopics.map(topic => endsOf(world, topic)));
      const events = await sendAndKill(journey, from, { 900: 'feature', 1_500: 'sink' });
      await answersTo(world, from, idsOf(events));

      const vectors = await Promise.all(
        vectorTopics.map((topic, i) => vectorsSince(world, topic, vectorsFrom[i]!)),
      );
      expect(
        vectors
          .flat()
          .map(({ eventId }) => eventId)
          .toSorted(),
      ).toEqual(idsOf(events).toSorted());
      // The state went on where it stood: the last payment of each customer counts all of them.
      const counts = new Map(
        vectors.flat().map(({ eventId, features }) => [eventId, features['customerTxCount1d']]),
      );
      expect(idsOf(events.slice(-CUSTOMERS)).map(id => counts.get(id))).toEqual(
        Array.from({ length: CUSTOMERS }, () => EVENTS / CUSTOMERS),
      );

      const database = openDatabase({
        url: stackAddresses().postgres,
        connectionsMax: 4,
        connectTimeoutS: 10,
      });
      try {
        const rows = await eventually(
          async () => (await Promise.all(idsOf(events).map(id => database.predictions('fraud', id)))).flat(),
          found => found.length >= EVENTS,
          found => `${found.length} of ${EVENTS} rows are stored`,
        );
        expect(rows.length).toBe(EVENTS);
      } finally {
        await database.close();
      }
      expect(said.slice(1).toSorted()).toEqual([
        'feature ended (137); starting it again',
        'sink ended (137); starting it again',
      ]);
    },
    LIMIT_MS,
  );
});
