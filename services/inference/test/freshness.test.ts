import { afterEach, describe, expect, test } from '@jest/globals';
import { type FeaturesValue, replayHeaders } from '@millrace/contracts';
import { durationMs, type Freshness, type Pipeline } from '@millrace/define';
import { counting } from './counting.ts';
import { batches, inMemory, PIPELINE, TOPICS, until, utf8, vectorOf, World, writeModel } from './harness.ts';
import { nightIn } from './nightIn.ts';

const HOUR_S = durationMs('1h') / 1000;
const FALLBACK_SCORE = Math.fround(0.01);

/** The fraud pipeline with other bounds: of customers, of terminals. */
const pipelineWith = (customers: Freshness | undefined, terminals: Freshness | undefined): Pipeline => {
  const bounds = new Map([['customer-spending', customers], ['terminal-risk', terminals]]); // prettier-ignore
  const views = PIPELINE.features.views.map(view => {
    const { freshness: _, ...unbound } = view;
    const freshness = bounds.get(view.name);
    return freshness === undefined ? unbound : { ...unbound, freshness };
  });
  return { ...PIPELINE, features: { ...PIPELINE.features, views } };
};

/** Vector n; ages in hours: how far terminals are behind, and since when the customer was not heard of. */
const aged = (n: number, terminalHours: number, customerHours = 0, changes: Partial<FeaturesValue> = {}): FeaturesValue =>
  vectorOf(n, {
    entity: 'one', viewAges: { customer_spending: 0, terminal_risk: terminalHours * HOUR_S },
    entityAges: { customer_spending: customerHours * HOUR_S, terminal_risk: -1 }, ...changes,
  }); // prettier-ignore

let world: World;
afterEach(() => world.close());

const openWorld = async (pipeline: Pipeline): Promise<void> => {
  world = await World.open(inMemory(pipeline));
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1024 });
  await world.alias('1');
};

const start = async () => {
  const counted = counting();
  const service = world.start({ metrics: counted.metrics });
  await service.start(new AbortController().signal);
  return counted;
};

const answersOf = (found: readonly Awaited<ReturnType<World['predictions']>>[number][]) =>
  found.map(({ sequence, stale, fallback, model, outputs }) => [
    sequence,
    stale,
    fallback,
    model,
    outputs['score'],
  ]);

describe('a stale vector', () => {
  test('is scored and marked, to the second of its bound', async () => {
    await openWorld(pipelineWith(undefined, { staleAfter: '2h', policy: 'score' }));
    const atBound = aged(512, 2);
    const past = { ...aged(513, 0), viewAges: { customer_spending: 0, terminal_risk: 2 * HOUR_S + 1 } };
    await world.vectors([aged(511, 0), atBound, past]);
    const { seen } = await start();
    expect(answersOf(await world.scored(3))).toEqual([
      [511, false, null, 'fraud', Math.fround(511 / 1024)],
      [512, false, null, 'fraud', 0.5],
      [513, true, null, 'fraud', Math.fround(513 / 1024)],
    ]);
    expect(seen.get('millrace_records_stale_total fraud terminal-risk score')).toBe(1);
  });

  test('is answered by the constant, in its place among the others, and no model is asked where all are', async () => {
    await openWorld(pipelineWith({ entityStaleAfter: '30d', policy: 'fallback' }, undefined));
    await world.vectors([aged(100, 0), aged(101, 99, 31 * 24), aged(102, 0, 30 * 24), aged(103, 0, 40 * 24)]);
    const { seen } = await start();
    expect(answersOf(await world.scored(4))).toEqual([
      [100, false, null, 'fraud', Math.fround(100 / 1024)],
      [101, true, 'stale', '', FALLBACK_SCORE],
      [102, false, null, 'fraud', Math.fround(102 / 1024)],
      [103, true, 'stale', '', FALLBACK_SCORE],
    ]);
    expect(seen.get('millrace_records_fallback_total fraud stale')).toBe(2);
    const asked = batches.length;
    await world.vectors([aged(104, 0, 40 * 24)]);
    expect((await world.scored(5)).at(-1)).toMatchObject({
      stale: true,
      fallback: 'stale',
      decision: 'approve',
    });
    expect(batches.length).toBe(asked);
  });

  test('is refused, with what was too old and nothing of whom it is about', async () => {
    await openWorld(pipelineWith(undefined, { staleAfter: '2h', policy: 'refuse' }));
    await world.vectors([aged(100, 3), aged(101, 1)]);
    const { seen } = await start();
    expect(answersOf(await world.scored(1))).toEqual([[101, false, null, 'fraud', Math.fround(101 / 1024)]]);
    const [letter, ...more] = await world.deadLetters();
    expect([letter![0], more]).toEqual(['one', []]);
    expect(letter![1]).toContain('__dlq.errors.reason=stale-features');
    expect(letter![1]).toContain('view terminal-risk is behind the event by 10800 s, and 7200 s are allowed');
    expect(seen.get('millrace_records_stale_total fraud terminal-risk refuse')).toBe(1);
  });

  test('of several views gets what the strictest of them says', async () => {
    const pipeline = pipelineWith(
      { entityStaleAfter: '1d', policy: 'score' },
      { staleAfter: '2h', policy: 'refuse' },
    );
    await openWorld(pipeline);
    await world.vectors([aged(100, 3, 48), aged(101, 0, 48)]);
    await start();
    expect(answersOf(await world.scored(1))).toEqual([[101, true, null, 'fraud', Math.fround(101 / 1024)]]);
    expect(await world.deadLetters()).toHaveLength(1);
  });

  test('that an older release wrote says no ages, and is taken for fresh', async () => {
    await openWorld(
      pipelineWith({ entityStaleAfter: '1h', policy: 'refuse' }, { staleAfter: '1h', policy: 'refuse' }),
    );
    await world.vectors([vectorOf(100)]);
    await start();
    expect((await world.scored(1))[0]!.stale).toBe(false);
  });
});

describe('the mark stands in the vector', () => {
  const policies = pipelineWith(
    { entityStaleAfter: '1d', policy: 'score' },
    { staleAfter: '2h', policy: 'fallback' },
  );
  const vectors = [
    aged(100, 0, 0, { entity: 'a' }),
    aged(101, 0, 30, { entity: 'b' }),
    aged(102, 3, 30, { entity: 'c' }),
  ];
  const marks = (found: Awaited<ReturnType<World['predictions']>>, runId: string) =>
    found.filter(one => one.runId === runId).toSorted((x, y) => x.sequence - y.sequence).map(({ stale, fallback, outputs }) => [stale, fallback, outputs['score']]); // prettier-ignore

  test('so a replay and a night, whenever they come, give what the stream gave', async () => {
    await openWorld(policies);
    await world.vectors(vectors);
    const { seen } = await start();
    const live = marks(await world.scored(3), 'live');
    expect(live).toEqual([
      [false, null, Math.fround(100 / 1024)],
      [true, null, Math.fround(101 / 1024)],
      [true, 'stale', FALLBACK_SCORE],
    ]);
    const codec = await world.codec<FeaturesValue>(TOPICS.aside);
    const headers = replayHeaders({
      run: 'again',
      source: { topic: TOPICS.features, partition: 0, offset: 0 },
    });
    await world.send(vectors.map(one => ({ topic: TOPICS.aside, partition: 0, key: utf8(one.entity), value: codec.encode(one), headers }))); // prettier-ignore
    await until(async () => (await world.predictions()).length === 6, 'replayed');
    expect(marks(await world.predictions(), 'again')).toEqual(live);
    // What is replayed was counted when it came.
    const counts = [...seen].filter(([name]) => name.startsWith('millrace_records_stale_total'));
    expect(counts.map(([, count]) => count)).toEqual([1, 1]);
    const { report } = await nightIn(world, { sessionTimeoutMs: 300 });
    expect([report.scored, report.deadLettered]).toEqual([3, 0]);
    expect(marks(await world.predictions(), 'n1')).toEqual(live);
  });
});
