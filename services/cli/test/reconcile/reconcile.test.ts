import { beforeEach, describe, expect, test } from '@jest/globals';
import { deadLetterTopic, nightGroup, type PredictionValue } from '@millrace/contracts';
import { credit } from '@millrace/pipelines';
import fc from 'fast-check';
import { reconcile, type ReconcileOptions } from '../../src/reconcile/reconcile.ts';
import { type Report, reportOf } from '../../src/reconcile/report.ts';
import { ReconcileRefused } from '../../src/reconcile/sides.ts';
import { answerTo, newest, partitionOf, scoreOf, TOPICS, Town, type Vector } from './town.ts';

const TOLERANCE = 1e-6;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const report = async (town: Town, changes: Partial<ReconcileOptions> = {}): Promise<Report> => {
  const options: ReconcileOptions = {
    pipeline: credit, ids: { run: 'n1', against: 'live' }, tolerance: TOLERANCE, top: 20, progressed: () => undefined,
    signal: new AbortController().signal, ...changes,
  }; // prettier-ignore
  return reportOf(town.world, await reconcile(town.world, options), options.tolerance);
};

/** Clients with two vectors each, scored by the stream as they came. */
const COUNT = 40;
const portfolio = (version: number) =>
  Array.from({ length: COUNT }, (_, n) => ({ entity: `c${n}`, version }));

let town: Town;
let vectors: readonly Vector[];
const latest = (entity: string): Vector => newest(vectors).find(vector => vector.entity === entity)!;
const first = (entity: string): Vector => vectors.find(vector => vector.entity === entity)!;

/** A night over everything whose answers are those of the stream, but for those that are changed; undefined: left out. */
const night = async (
  run: string,
  change: (vector: Vector) => Partial<PredictionValue> | undefined | Vector = () => ({}),
): Promise<void> => {
  const answers = newest(vectors).flatMap(vector => {
    const changed = change(vector);
    if (changed === undefined) return [];
    return 'version' in changed ? [answerTo(changed, run)] : [answerTo(vector, run, changed)];
  });
  await town.answers(answers);
  await town.run(run);
};

beforeEach(async () => {
  town = await Town.open();
  vectors = await town.vectors([...portfolio(1), ...portfolio(2)]);
  await town.answers(vectors.map(vector => answerTo(vector, 'live')));
});

const NOTHING = { differing: 0, missing: 0, extra: 0, unanswered: 0 };

describe('a night and the stream', () => {
  test('agree where each entity has the same answer to its newest vector', async () => {
    await night('n1');
    const found = await report(town);
    expect(found).toMatchObject({ agrees: true, unit: 'entity', compared: COUNT, outcomes: { ...NOTHING, matched: COUNT }, largestDifference: 0, causes: [] });
    expect(found.run.kpis).toEqual(found.against.kpis);
    // The stream has answered older vectors too, and shadows: they are in no count.
    expect([found.run.answers, found.against.answers]).toEqual([COUNT, COUNT]);
    await town.answers([answerTo(latest('c3'), 'live', { role: 'shadow:r1', outputs: { score: 1 } })]);
    expect((await report(town)).agrees).toBe(true);
  }); // prettier-ignore

  test('what the stream answered after the slice is no difference', async () => {
    await night('n1');
    const later = await town.vectors([{ entity: 'c1', version: 3 }, { entity: 'new', version: 1 }]); // prettier-ignore
    await town.answers(later.map(vector => answerTo(vector, 'live')));
    expect(await report(town)).toMatchObject({ agrees: true, compared: COUNT });
  });

  test('planted differences are found, each with what it comes from', async () => {
    const other = { modelVersion: '2', modelDigest: 'bb'.repeat(32) };
    await night('n1', vector => {
      const { entity } = vector;
      if (entity === 'c1') return { outputs: { score: scoreOf(vector) + 0.25 } };
      if (entity === 'c2') return undefined;
      if (entity === 'c3') return first('c3');
      if (entity === 'c4') return { ...other, outputs: { score: scoreOf(vector) + 0.5 } };
      if (entity === 'c5') return { ...other };
      return {};
    });
    await town.answers([answerTo({ ...latest('c6'), entity: 'stranger' }, 'n1')]);
    const found = await report(town);
    expect(found).toMatchObject({
      agrees: false, outcomes: { matched: COUNT - 5, differing: 4, missing: 1, extra: 1, unanswered: 0 }, beyondTolerance: 3,
    });
    expect(found.largestDifference).toBeCloseTo(0.5, 6);
    const told = [...found.examples.differing, ...found.examples.missing, ...found.examples.extra].map(one => [
      one.entity, one.causes.map(({ cause }) => cause), one.causes[0]!.detail,
    ]);
    const model = 'credit 2 (bbbbbbbbbbbb…) instead of credit 1 (aaaaaaaaaaaa…)';
    expect(told).toEqual([
      ['c4', ['model'], model],
      ['c1', ['score'], ''],
      ['c3', ['stale-vector'], `n1: vector at offset ${first('c3').offset}, the newest is at ${latest('c3').offset}`],
      ['c5', ['model'], model],
      ['c2', ['no-answer'], ''],
      ['stranger', ['not-in-slice'], ''],
    ]);
    // What has changed in the vector is looked up on the topic.
    const stale = found.examples.differing[2]!;
    expect(stale.features).toContainEqual({ name: 'creditLimit', run: 1, against: 2 });
    expect(stale.run!.predictionId).toBe(answerTo(first('c3'), 'n1').predictionId);
  }); // prettier-ignore

  test('a stale vector is found although the stream has answered that vector too, and with the same score', async () => {
    await night('n1', vector => (vector.entity === 'c7' ? first('c7') : {}));
    // The newest answer of the stream is lost: both sides have the same old one.
    const silent = await Town.open();
    const again = await silent.vectors([...portfolio(1), ...portfolio(2)]);
    await silent.answers(again.filter(({ entity, version }) => entity !== 'c7' || version === 1).map(vector => answerTo(vector, 'live')));
    await silent.answers(newest(again).map(vector => answerTo(vector.entity === 'c7' ? again[7]! : vector, 'n1')));
    await silent.run('n1');
    for (const where of [town, silent])
      expect((await report(where)).causes).toEqual([expect.objectContaining({ outcome: 'differing', cause: 'stale-vector', units: 1 })]);
  }); // prettier-ignore

  test('a difference within the tolerance is none, one above it is', async () => {
    await night('n1', vector => ({
      outputs: { score: scoreOf(vector) + (vector.entity === 'c1' ? 0.01 : 0) },
    }));
    expect((await report(town, { tolerance: 0.02 })).agrees).toBe(true);
    expect(await report(town, { tolerance: 0.005 })).toMatchObject({ agrees: false, beyondTolerance: 1 });
  });

  test('a score that is no number differs by more than any tolerance', async () => {
    await night('n1', ({ entity }) => (entity === 'c1' ? { outputs: { score: Number.NaN } } : {}));
    const found = await report(town, { tolerance: 1e9 });
    expect([found.agrees, found.largestDifference, found.examples.differing[0]!.entity]).toEqual([false, null, 'c1']);
  }); // prettier-ignore

  test('a decision that thresholds changed is explained by them, another one is not', async () => {
    await night('n1', ({ entity }) =>
      entity === 'c1' ? { decision: 'act', controlRevision: 2 } : entity === 'c2' ? { decision: 'act' } : { controlRevision: 2 },
    );
    const found = await report(town);
    expect(found.causes.map(({ cause, units }) => `${cause} ${units}`).sort()).toEqual(['decision 1', 'thresholds 1']);
    expect(found.moves).toEqual([{ against: 'keep', run: 'act', units: 2 }]);
    expect(found.outcomes.matched).toBe(COUNT - 2);
  }); // prettier-ignore

  test('who is gone by the slice is not missing; who was rejected is, with the reason', async () => {
    await town.bury('c8');
    const reason = [['__dlq.errors.topic', TOPICS.features], ['__dlq.errors.partition', '0'], ['__dlq.errors.offset', '0'],
      ['__dlq.errors.reason', 'scoring-failed'], ['__dlq.errors.stage', 's'], ['__dlq.errors.group', nightGroup(credit, 'n1')]]; // prettier-ignore
    const headers = reason.map(([name, value]) => [name!, Buffer.from(value!)] as const);
    await town.send(deadLetterTopic(TOPICS.features), [{ key: 'c9', value: Buffer.from('x'), headers }]);
    await night('n1', ({ entity }) => (['c8', 'c9'].includes(entity) ? undefined : {}));
    const found = await report(town);
    expect(found.outcomes).toEqual({ ...NOTHING, matched: COUNT - 2, missing: 1 });
    expect(found.examples.missing[0]!.causes).toEqual([
      expect.objectContaining({ cause: 'dead-letter', detail: 'reason scoring-failed' }),
    ]);
  });

  test('what the stream has not come to yet, and what a rule put off, is told from what it has lost', async () => {
    const later = Array.from({ length: 50 }, (_, i) => `later-${i}`).find(one => partitionOf(one) === partitionOf('lost'))!;
    vectors = [...vectors, ...(await town.vectors(['slow', later, 'lost'].map(entity => ({ entity, version: 1 }))))];
    await night('n1');
    const partition = partitionOf('slow');
    expect(partitionOf('lost')).not.toBe(partition);
    await town.world.broker.admin.resetOffsets('millrace.inference.credit', [
      { topic: TOPICS.features, partition, offset: latest('slow').offset },
      { topic: TOPICS.features, partition: partitionOf('lost'), offset: latest('lost').offset + 1 },
    ]);
    await town.send(TOPICS.deferred, [{ key: later, value: Buffer.from('what it says is not looked at') }]);
    const found = await report(town);
    expect(found.examples.extra.map(one => `${one.entity} ${one.causes[0]!.cause}`).sort()).toEqual([`${later} put-off`, 'lost no-answer', 'slow not-yet'].sort());
  }); // prettier-ignore

  test('a night that answered twice does not agree, nor one of whose answers fewer are left than it counted', async () => {
    await night('n1');
    await town.answers([answerTo(latest('c1'), 'n1')]);
    expect(await report(town)).toMatchObject({ agrees: false, run: { repeated: 1 }, outcomes: { matched: COUNT } });
    await town.answers(newest(vectors).map(vector => answerTo(vector, 'n2')));
    await town.run('n2', { report: JSON.stringify({ asOf: null, scored: COUNT + 1, answersFrom: { predictions: [], letters: [] } }) });
    const ids = { run: 'n2', against: 'live' };
    expect(await report(town, { ids })).toMatchObject({ agrees: false, run: { scored: COUNT + 1, answers: COUNT }, outcomes: NOTHING });
  }); // prettier-ignore

  test('answers of a feature set that is not the slice’s are told as such', async () => {
    await night('n1');
    const own = await town.vectors([{ entity: 'switched', version: 1 }]);
    await town.answers([
      answerTo(own[0]!, 'live', { featureSet: 2, vectorOffset: 0 }),
      answerTo(own[0]!, 'n2'),
    ]);
    await town.answers(newest(vectors).map(vector => answerTo(vector, 'n2')));
    await town.run('n2');
    const found = await report(town, { ids: { run: 'n2', against: 'live' } });
    expect(found.examples.extra.map(({ causes }) => causes[0]!.cause)).toEqual(['other-set']);
  });
});

describe('two nights', () => {
  test('differ where an entity changed between their slices, and where one came or went', async () => {
    await night('n1');
    vectors = [...vectors, ...(await town.vectors([{ entity: 'c1', version: 3 }, { entity: 'new', version: 1 }]))]; // prettier-ignore
    await town.bury('c2');
    await night('n2', ({ entity }) => (entity === 'c2' ? undefined : {}));
    const found = await report(town, { ids: { run: 'n2', against: 'n1' } });
    expect(found.causes.map(({ outcome, cause }) => [outcome, cause])).toEqual([
      ['differing', 'other-slice'],
      ['missing', 'gone'],
      ['extra', 'not-in-slice'],
    ]);
    expect(found.outcomes).toEqual({ ...NOTHING, matched: COUNT - 2, differing: 1, missing: 1, extra: 1 });
  });

  test('can be compared when their slices are too old for the stream to be', async () => {
    await night('n1');
    await night('n2', ({ entity }) => (entity === 'c1' ? first('c1') : {}));
    await town.world.clock.turn(8 * DAY_MS);
    await expect(report(town)).rejects.toThrow(/too old/);
    const found = await report(town, { ids: { run: 'n2', against: 'n1' } });
    expect(found.examples.differing.map(({ entity, causes }) => [entity, causes[0]!.cause])).toEqual([['c1', 'stale-vector']]); // prettier-ignore
  });
});

test('a replay and the stream are compared event by event, and a late one is told', async () => {
  const slice = [{ topic: TOPICS.scored, partition: 0, from: 0, until: 3 }];
  await town.run('r1', { kind: 'replay', slice });
  const late = { features: answerTo(first('c1'), 'live').features, late: true };
  await town.answers([
    ...vectors.map(vector => answerTo(vector, 'r1')),
    // An event outside the slice, and a late one of another client in it.
    answerTo({ ...latest('c2'), version: 4 }, 'live'),
    answerTo({ ...latest('c3'), entity: 'c77' }, 'live', late),
    answerTo({ ...latest('c3'), entity: 'c77' }, 'r1'),
  ]);
  const found = await report(town, { ids: { run: 'r1', against: 'live' } });
  expect(found).toMatchObject({
    unit: 'event',
    compared: 2 * COUNT + 1,
    outcomes: { ...NOTHING, matched: 2 * COUNT, differing: 1 },
  });
  expect(found.examples.differing.map(({ entity, causes }) => [entity, causes[0]!.cause])).toEqual([['c77', 'late-event']]); // prettier-ignore
});

test('a run that is unknown, unfinished or of another pipeline is refused with what can be done', async () => {
  await town.run('half', {}, ['captured']);
  await town.run('other', { pipeline: 'loans' });
  await expect(report(town)).rejects.toThrow(ReconcileRefused);
  for (const [run, said] of [
    ['nobody', /no run nobody/],
    ['half', /not finished/],
    ['other', /--pipeline loans/],
  ] as const)
    // prettier-ignore
    await expect(report(town, { ids: { run, against: 'live' } })).rejects.toThrow(said);
});

describe('as a naive comparison does', () => {
  /** What each side did with the newest vector of an entity. */
  const deed = fc.constantFrom('same', 'changed', 'older', 'none');
  const course = fc.array(
    fc.record({ versions: fc.integer({ min: 1, max: 3 }), live: deed, night: deed, gone: fc.boolean() }),
    { minLength: 1, maxLength: 30 },
  );

  test('whatever the answers, and however few fit into memory at once', async () => {
    await fc.assert(
      fc.asyncProperty(course, fc.integer({ min: 1, max: 40 }), async (entities, unitsMax) => {
        const place = await Town.open();
        const wanted = entities.flatMap(({ versions }, n) => Array.from({ length: versions }, (_, version) => ({ entity: `e${n}`, version })));
        const all = await place.vectors(wanted);
        for (const [n, { gone }] of entities.entries()) if (gone) await place.bury(`e${n}`);
        const expected = { matched: 0, differing: 0, missing: 0, extra: 0, unanswered: 0 };
        for (const [n, { versions, live, night: nightly, gone }] of entities.entries()) {
          const own = all.filter(({ entity }) => entity === `e${n}`);
          const answer = async (what: string, run: string): Promise<[number, number] | undefined> => {
            const vector = what === 'older' ? own.at(-2) : own.at(-1);
            if (what === 'none' || vector === undefined) return undefined;
            const score = scoreOf(vector) + (what === 'changed' ? 0.5 : 0);
            await place.answers([answerTo(vector, run, { outputs: { score } })]);
            return [vector.version, score];
          };
          // Nobody may count what the stream says of entities that are gone.
          const ofLive = await answer(live, 'live');
          const [a, b] = [await answer(nightly, 'n1'), gone ? undefined : ofLive];
          if (a === undefined && b === undefined) expected.unanswered += gone ? 0 : 1;
          else if (a === undefined) expected.missing++;
          else if (b === undefined) expected.extra++;
          else if (a[0] === b[0] && a[0] === versions - 1 && Math.abs(a[1] - b[1]) < 1e-3) expected.matched++;
          else expected.differing++;
        }
        await place.run('n1');
        const found = await report(place, { unitsMax, top: 3 });
        expect(found.outcomes).toEqual(expected);
        expect(found.agrees).toBe(expected.differing + expected.missing + expected.extra === 0);
      }),
      { numRuns: 60 },
    );
  }); // prettier-ignore
});
