/** What rules had put off and no model took: rejected by a night, sent again by the command line, answered by a later one. */
import { expect } from '@jest/globals';
import { asideTopic, deadLetterTopic, predictionId } from '@millrace/contracts';
import type { MakeScorer } from '@millrace/model';
import { systemClock } from '@millrace/telemetry';
import { fakeScorer, FEATURES, POISON, type Prediction, until, vectorOf, type World } from '../../../inference/test/harness.ts'; // prettier-ignore
import { nightIn } from '../../../inference/test/nightIn.ts';
import { redriveLetters } from '../../src/commands/dlq/redrive.ts';
import { fakeIo } from '../fakeIo.ts';

const GOOD = 20;
const DIVISOR = 1_024;
/** Scores what the harness's own refuses. */
const takesAll: MakeScorer = async (bytes, manifest) => ({
  ...(await fakeScorer(bytes, manifest)),
  score: async ({ rows, data }) => ({
    data: Float32Array.from({ length: rows }, (_, i) => data[i * FEATURES.length]! / DIVISOR),
    computeMs: 0.1,
  }),
});

/** Plan or execution of `millrace dlq redrive --topic …deferred.v1`. */
const redriven = async ({ ground, topics }: World, loopsMax: number, execute = true): Promise<unknown> => {
  const io = fakeIo();
  const place = { broker: ground.broker, registry: ground.registry, clock: systemClock };
  const how = { execute, lettersMax: Number.POSITIVE_INFINITY, loopsMax, output: 'json' } as const;
  expect(await redriveLetters(io, place, [ground.pipeline], { topic: topics.deferred }, how)).toBe(0);
  return JSON.parse(io.data.at(-1)!);
};

const passed = ({ ground, topics }: World): Promise<void> =>
  until(async () => {
    const { admin } = ground.broker;
    const ends = await admin.endOffsets(topics.features);
    const at = await admin.committed(`millrace.inference.${ground.pipeline.name}`, [topics.features]);
    return ends.every(end => end.offset === 0 || at.some(one => one.partition === end.partition && one.offset >= end.offset));
  }, 'every vector is passed'); // prettier-ignore

/** @returns all answers, in the order of their events */
export const rejectedAndRedriven = async (world: World): Promise<readonly Prediction[]> => {
  const { pipeline } = world.ground;
  const night = async (run: string, makeScorer = fakeScorer) =>
    (await nightIn(world, { run: `${pipeline.name}-${run}`, makeScorer, lagMax: 100_000 })).report.putOff;
  await world.control({ kind: 'routes', name: 'default', value: { version: 1, rules: [{ name: 'all', to: 'night' }] } }); // prettier-ignore
  await world.alias('1');
  await world.start().start(new AbortController().signal);
  const rows = [vectorOf(POISON), ...Array.from({ length: GOOD }, (_, i) => vectorOf(100 + i))];
  await world.vectors(rows);
  await passed(world);
  expect(await night('n1')).toEqual({ scored: GOOD, deadLettered: 1, repeated: 0 });

  const place = { from: deadLetterTopic(world.topics.deferred), to: asideTopic(world.topics.deferred) };
  const one = { ...place, letters: 1, byReason: { 'scoring-failed': 1 } };
  expect(await redriven(world, 3, false)).toMatchObject({ ...one, executed: false });
  expect(await redriven(world, 3)).toMatchObject({ ...one, executed: true });
  expect(await redriven(world, 3)).toMatchObject({ ...place, letters: 0, left: { redriven: 1 } });
  // The same model refuses it again, and it is left after its limit.
  expect(await night('n2')).toEqual({ scored: 0, deadLettered: 1, repeated: 0 });
  expect(await redriven(world, 1)).toMatchObject({ letters: 0, left: { redriven: 1, loops: 1 } });
  expect(await night('n3')).toEqual({ scored: 0, deadLettered: 0, repeated: 0 });

  // It keeps the rule that put it off, whatever the rules are by now.
  await world.control({ kind: 'routes', name: 'default', value: { version: 2, rules: [{ name: 'others', to: 'night' }] } }); // prettier-ignore
  expect(await redriven(world, 3)).toMatchObject(one);
  expect(await night('n4', takesAll)).toEqual({ scored: 1, deadLettered: 0, repeated: 0 });
  expect(await redriven(world, 3)).toMatchObject({ letters: 0, left: { redriven: 2 } });
  expect(await night('n5', takesAll)).toEqual({ scored: 0, deadLettered: 0, repeated: 0 });
  const answers = (await world.predictions())
    .filter(({ runId }) => runId === 'live')
    .toSorted((a, b) => a.sequence - b.sequence);
  expect(answers.map(({ eventId }) => eventId)).toEqual(rows.map(({ eventId }) => eventId));
  expect(answers[0]).toMatchObject({
    predictionId: predictionId(pipeline.name, `event-${POISON}`, 0, 'live', 'answer', 0),
    sourceOffset: POISON, vectorOffset: 0, route: 'all', routeVersion: 1, outputs: { score: Math.fround(POISON / DIVISOR) },
  }); // prettier-ignore
  return answers;
};
