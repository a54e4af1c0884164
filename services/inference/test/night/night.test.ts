import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  catalogue,
  type FeaturesValue,
  MILLRACE_TOPICS,
  nightGroup,
  predictionId,
  type Run,
} from '@millrace/contracts';
import type { MakeScorer } from '@millrace/model';
import { type MemoryBroker, murmur2Partition } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { type NightOptions, NightRefused, type NightResult } from '../../src/index.ts';
import {
  batches,
  fakeScorer,
  POISON,
  type Prediction,
  until,
  utf8,
  vectorOf,
  World,
  writeModel,
} from '../harness.ts';
import { nightIn } from '../nightIn.ts';

const ENTITIES = 300;
/** Vector n of an entity of its own, with an amount that the model takes. */
const vector = (n: number, changes: Partial<FeaturesValue> = {}): FeaturesValue =>
  vectorOf(n + 100, { entity: `client-${n}`, ...changes });
const portfolio = (version: number, count = ENTITIES): FeaturesValue[] =>
  Array.from({ length: count }, (_, n) =>
    vector(n, { eventId: `client-${n}-v${version}`, revision: version }),
  );

let world: World;
let told: string[];

const night = (changes: Partial<NightOptions> = {}): Promise<NightResult> =>
  nightIn(world, { sessionTimeoutMs: 300, tell: line => told.push(line), ...changes });

/** Scorers that stand still once they have scored so many rows, until they may go on. */
const stuckAfter = (rowsMax: number): { readonly makeScorer: MakeScorer; readonly goOn: () => void } => {
  const held = Promise.withResolvers<void>();
  let scored = 0;
  const makeScorer: MakeScorer = async (bytes, manifest) => {
    const scorer = await fakeScorer(bytes, manifest);
    const score: typeof scorer.score = async rows => {
      if (scored > rowsMax) await held.promise;
      scored += rows.rows;
      return scorer.score(rows);
    };
    return { ...scorer, score };
  };
  return { makeScorer, goOn: held.resolve };
};

const ofRun = async (run: string): Promise<Prediction[]> =>
  (await world.predictions()).filter(({ runId }) => runId === run);
const events = (predictions: readonly Prediction[]): string[] =>
  predictions.map(({ eventId }) => eventId).sort();

beforeEach(async () => {
  told = [];
  world = await World.open();
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1_024 });
  await world.alias('1');
});
afterEach(() => world.close());

describe('a night', () => {
  test('scores the newest vector of each entity once, under ids of its own, and says so on the runs topic', async () => {
    await world.vectors([...portfolio(0), ...portfolio(1)]);
    const { report, run, wasDone } = await night();
    const found = await ofRun('n1');
    expect(events(found)).toEqual(
      portfolio(1)
        .map(({ eventId }) => eventId)
        .sort(),
    );
    for (const one of found)
      expect(one.predictionId).toBe(predictionId('fraud', one.eventId, one.revision, 'n1', 'answer', 0));
    expect(found.find(({ entity }) => entity === 'client-7')).toMatchObject({
      outputs: { score: Math.fround(107 / 1_024) }, decision: 'approve', model: 'fraud', controlRevision: 1, role: 'answer', fallback: null,
      key: 'client-7',
    }); // prettier-ignore
    expect(report).toMatchObject({
      entities: ENTITIES,
      scored: ENTITIES,
      deadLettered: 0,
      repeated: 0,
      tombstones: 0,
    });
    expect([run.state, run.kind, wasDone]).toEqual(['done', 'night', false]);
    expect(run.slice.reduce((sum, { from, until: end }) => sum + end - from, 0)).toBe(2 * ENTITIES);
  });

  test('asked for again it scores nothing, whatever has come since', async () => {
    await world.vectors(portfolio(0));
    const first = await night();
    await world.vectors(portfolio(1));
    batches.length = 0;
    const second = await night();
    expect([second.wasDone, second.report]).toEqual([true, first.report]);
    expect(batches.filter(({ rows }) => rows > 1)).toEqual([]);
    expect(await ofRun('n1')).toHaveLength(ENTITIES);
    // Another run is over what is there then, and its ids are others.
    expect((await night({ run: 'n2' })).report.digest).not.toBe(first.report.digest);
    expect(events(await ofRun('n2'))).toEqual(
      portfolio(1)
        .map(({ eventId }) => eventId)
        .sort(),
    );
  });

  test('gives what the stream gave, but for the run', async () => {
    await world.vectors(portfolio(0, 50));
    await world.start().start(new AbortController().signal);
    const live = await world.scored(50);
    await night();
    const apart = ({ runId: _r, predictionId: _i, batchId: _b, scoredAt: _s, ...one }: Prediction) => one;
    const byEvent = (a: Prediction, b: Prediction): number => (a.eventId < b.eventId ? -1 : 1);
    const ofNight = await ofRun('n1');
    expect(ofNight.toSorted(byEvent).map(apart)).toEqual(live.toSorted(byEvent).map(apart));
  });

  test('killed in the midst and asked for again, it gives the set that it would have given', async () => {
    await world.vectors([...portfolio(0), ...portfolio(1)]);
    const whole = await night({ run: 'whole' });
    const broker = (world.ground.broker as MemoryBroker).connect();
    const { makeScorer, goOn } = stuckAfter(ENTITIES / 3);
    const zombie = night({ broker, makeScorer }).catch((error: unknown) => error);
    await until(async () => (await ofRun('n1')).length > 0, 'the first answers of the night');
    broker.silence();
    const before = await ofRun('n1');
    await world.vectors(portfolio(2));
    const { report } = await night();
    goOn();
    // Whatever it still tries, somebody newer owns its partitions: it finds the run done.
    expect(await zombie).toMatchObject({ wasDone: true });
    const found = await ofRun('n1');
    expect(before.length).toBeLessThan(ENTITIES);
    expect(found.map(({ predictionId: id }) => id)).toEqual(
      expect.arrayContaining(before.map(({ predictionId: id }) => id)),
    );
    expect(events(found)).toEqual(
      portfolio(1)
        .map(({ eventId }) => eventId)
        .sort(),
    );
    expect(report).toMatchObject({ entities: ENTITIES, scored: ENTITIES, repeated: 0 });
    const scores = (of: readonly Prediction[]) =>
      of.map(p => `${p.eventId} ${p.vectorOffset} ${p.outputs['score']}`).sort();
    expect(scores(found)).toEqual(scores(await ofRun('whole')));
    expect(whole.report.digest).toBe(report.digest);
  });

  test('vectors that come while it runs are not its own: each entity is scored once, from inside the slice', async () => {
    await world.vectors(portfolio(0));
    const { run } = await night({ tell: () => void world.vectors(portfolio(1)) });
    const found = await ofRun('n1');
    expect(events(found)).toEqual(
      portfolio(0)
        .map(({ eventId }) => eventId)
        .sort(),
    );
    for (const { vectorOffset, partition } of found)
      expect(vectorOffset).toBeLessThan(run.slice.find(at => at.partition === partition)!.until);
  });

  test('a vector that cannot be scored is a dead letter; one that says that its entity is gone is no entity', async () => {
    const poison = vectorOf(POISON, { entity: 'poison' });
    await world.vectors([...portfolio(0, 20), poison]);
    const key = utf8('client-3');
    const partition = murmur2Partition(key, world.ground.pipeline.partitions);
    await world.send([{ topic: world.topics.features, partition, key, value: null }]);
    const { report } = await night();
    expect(report).toMatchObject({ entities: 20, tombstones: 1, scored: 19, deadLettered: 1 });
    const [letter] = await world.deadLetters();
    expect(letter).toEqual([
      'poison',
      expect.stringContaining(`group=${nightGroup(world.ground.pipeline, 'n1')}`),
    ]);
    expect((await ofRun('n1')).map(({ entity }) => entity)).not.toContain('client-3');
  });

  test('goes on with the model and the thresholds that it began with', async () => {
    await world.vectors(portfolio(0));
    const stop = new AbortController();
    const dying = night({
      signal: stop.signal,
      progressed: ({ done }) => done > 0 && stop.abort(new Error('enough')),
    });
    await dying.catch(() => undefined);
    writeModel(world.models, { name: 'fraud', version: '2', divisor: 16 });
    await world.alias('2');
    await world.control({ kind: 'thresholds', name: 'default', value: { block: 0, review: 0 } });
    await night();
    const found = await ofRun('n1');
    expect(new Set(found.map(p => p.modelVersion))).toEqual(new Set(['1']));
    expect(new Set(found.map(p => p.controlRevision))).toEqual(new Set([1]));
    expect(found).toHaveLength(ENTITIES);
  });

  test('as of a time it is over what was there before it', async () => {
    await world.vectors(portfolio(0, 30));
    await systemClock.sleep(5);
    const asOfMs = systemClock.now();
    await systemClock.sleep(5);
    await world.vectors(portfolio(1, 60));
    const { report } = await night({ asOfMs });
    expect(report.entities).toBe(30);
    expect(events(await ofRun('n1'))).toEqual(
      portfolio(0, 30)
        .map(({ eventId }) => eventId)
        .sort(),
    );
    await expect(night({ asOfMs: asOfMs - 1 })).rejects.toThrow(/leave --as-of out/);
  });
});

describe('a night is refused', () => {
  const LAG = 'min.compaction.lag.ms';
  const recordsOfRuns = async (): Promise<number> => {
    const codec = await world.codec<Run>(MILLRACE_TOPICS.runs);
    let count = 0;
    const ends = await world.ground.broker.admin.endOffsets(MILLRACE_TOPICS.runs);
    for await (const run of world.ground.broker.read({
      from: { topic: MILLRACE_TOPICS.runs, at: 'beginning' },
      until: ends,
    }))
      for (let i = 0; i < run.length; i++) count += Number(codec.decode(run.value(i)!) !== undefined);
    return count;
  };

  test('as of a time whose vectors compaction may have taken, or that is still to come', async () => {
    await world.vectors(portfolio(0, 10));
    const now = systemClock.now();
    const lagMs = Number(
      catalogue([world.ground.pipeline]).find(({ name }) => name === world.topics.features)!.config[LAG],
    );
    await expect(night({ asOfMs: now - lagMs })).rejects.toThrow(/may be gone/);
    await expect(night({ asOfMs: now - lagMs })).rejects.toBeInstanceOf(NightRefused);
    await expect(night({ asOfMs: now + 60_000 })).rejects.toThrow(/still to come/);
    expect(await recordsOfRuns()).toBe(0);
  });

  test('when it is gone on with too late, or what it was over is not there any more', async () => {
    await world.vectors([...portfolio(0, 10)]);
    const stopped = night({ broker: dying(), run: 'late' });
    await expect(stopped).rejects.toThrow('dead');
    await world.vectors(portfolio(1, 10));
    (world.ground.broker as MemoryBroker).compact(world.topics.features);
    await expect(night({ run: 'late' })).rejects.toThrow(/10 entities, and 0 are found/);
    await world.ground.broker.admin.alterTopic(world.topics.features, { [LAG]: '0' });
    await systemClock.sleep(5);
    await expect(night({ run: 'late' })).rejects.toThrow(/may be gone/);
    expect(await ofRun('late')).toEqual([]);
  });

  /** A client that dies once the run is captured, before anything is scored. */
  const dying = (): MemoryBroker => {
    const broker = (world.ground.broker as MemoryBroker).connect();
    return { ...broker, join: () => Promise.reject(new Error('dead')) };
  };

  test('without a model, and with another one under the same version', async () => {
    await world.vectors(portfolio(0, 10));
    await expect(night({ broker: dying(), run: 'm' })).rejects.toThrow('dead');
    const other = { load: async () => ({ manifest: { sha256: 'other' }, close: async () => undefined }) };
    await expect(night({ run: 'm', models: other as never })).rejects.toThrow(/is not the one/);
    await world.alias('9');
    await expect(night({ run: 'n' })).rejects.toThrow(/no model fraud 9/);
  });
});
