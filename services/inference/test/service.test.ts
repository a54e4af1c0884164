import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type FeaturesValue, predictionId, replayHeaders } from '@millrace/contracts';
import { hashFeatureSet } from '@millrace/define';
import { workerScorer } from '@millrace/model';
import { fraud } from '@millrace/pipelines';
import type { OutRecord } from '@millrace/stream';
import {
  batches, engines, FEATURES, lost, POISON, SHIPPED_MODELS, TOPICS, UNANSWERABLE, until, utf8, vectorOf, World, writeModel,
} from './harness.ts'; // prettier-ignore
import { counting } from './counting.ts';

const signal = new AbortController().signal;
const many = (count: number, from = 100): ReturnType<typeof vectorOf>[] =>
  Array.from({ length: count }, (_, i) => vectorOf(from + i));
const byEvent = <T extends { readonly sequence: number }>(rows: readonly T[]): T[] =>
  rows.toSorted((a, b) => a.sequence - b.sequence);

let world: World;
beforeEach(async () => {
  world = await World.open();
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1024 });
});
afterEach(() => world.close());

describe('scoring', () => {
  test('answers each vector once, with all of its provenance', async () => {
    await world.control(
      { kind: 'routes', name: 'default', value: { version: 7, rules: [] } },
      { kind: 'thresholds', name: 'default', value: { block: 0.5 } },
    );
    await world.alias('1');
    await world.vectors(many(500));
    const service = world.start();
    await service.start(signal);
    await until(() => service.notReady?.() === undefined, 'ready');
    const found = byEvent(await world.scored(500));
    expect(found).toHaveLength(500);
    const vector = vectorOf(100 + 412);
    expect(found[412]).toMatchObject({
      predictionId: predictionId('fraud', 'event-512', 0, 'live', 'answer', 0),
      key: 'customer-2',
      eventId: 'event-512',
      revision: 0,
      sequence: 512,
      entity: 'customer-2',
      eventTime: vector.eventTime,
      appendTime: vector.appendTime,
      outputs: { score: 0.5 },
      decision: 'block',
      kpis: { expectedLoss: 256 },
      model: 'fraud',
      modelVersion: '1',
      featureSet: 1,
      featureSetHash: hashFeatureSet(fraud),
      controlRevision: 3,
      route: 'default',
      routeVersion: 7,
      review: false,
      engine: 'cpu',
      arm: 'champion',
      role: 'answer',
      fallback: null,
      late: false,
      stale: false,
      sourceTopic: TOPICS.scored,
      sourcePartition: 3,
      sourceOffset: 512,
      inputHash: vector.inputHash,
      runId: 'live',
      seq: 0,
      final: true,
      supersedes: null,
      traceparent: null,
      features: vector.features,
    });
    expect(found[412]!.modelDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(found[412]!.batchId).toMatch(/^i-\d-\d+-\d+$/);
    // 0.4 is the pipeline's own threshold for review; 0.8 for block was overruled.
    expect(found.map(p => p.decision)).toEqual(
      found.map(({ outputs: { score } }) => (score! >= 0.5 ? 'block' : score! >= Math.fround(0.4) ? 'review' : 'approve')), // prettier-ignore
    );
    expect(found.every(p => p.scoredAt > p.appendTime)).toBe(true);
  });

  test('gathers batches, keeps the order of each entity, and measures', async () => {
    const { metrics, seen } = counting();
    await world.alias('1');
    await world.vectors(many(2000));
    await world.start({ metrics }).start(signal);
    const found = await world.scored(2000);
    const last = new Map<string, number>();
    for (const { key, sequence } of found) {
      expect(sequence).toBeGreaterThan(last.get(key) ?? -1);
      last.set(key, sequence);
    }
    const scored = batches.filter(b => b.rows > 1).length;
    expect(scored).toBeGreaterThan(0);
    expect(batches.length).toBeLessThan(500);
    expect(seen.get('millrace_model_queue_seconds fraud fraud')).toBe(2000);
    expect(seen.get('millrace_end_to_end_seconds fraud scored')).toBe(2000);
    const decided = ['block', 'review', 'approve'].map(
      d => seen.get(`millrace_predictions_total fraud ${d}`) ?? 0,
    );
    expect(decided.reduce((a, b) => a + b)).toBe(2000);
  });

  test('answers what lies aside too, with the trace it came with', async () => {
    await world.alias('1');
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
    await world.vectors([vectorOf(1, { traceparent, runId: 'live', revision: 4 })], TOPICS.aside);
    await world.start().start(signal);
    const [found] = await world.scored(1);
    expect(found).toMatchObject({ traceparent, revision: 4, eventId: 'event-1', late: true });
    expect(found!.predictionId).toBe(predictionId('fraud', 'event-1', 4, 'live', 'answer', 0));
  });

  test('a vector that was replayed is answered as its run, beside the live answer, and is asked for no latency', async () => {
    await world.alias('1');
    await world.vectors([vectorOf(64)]);
    const codec = await world.codec<FeaturesValue>(TOPICS.aside);
    const again = (headers: Required<OutRecord>['headers'], n = 64): OutRecord => {
      const { entity } = vectorOf(n);
      return { topic: TOPICS.aside, partition: 0, key: utf8(entity), value: codec.encode(vectorOf(n)), headers };
    };
    const headersOf = (run: string) => replayHeaders({ run, source: { topic: TOPICS.features, partition: 0, offset: 0 } });
    const { metrics, seen } = counting();
    await world.send([again(headersOf('again')), again(headersOf('live')), again(headersOf('other'), POISON)]);
    await world.start({ metrics }).start(signal);
    const found = await world.scored(3);
    await until(async () => (await world.deadLetters()).length === 1, 'a replayed vector is rejected like any other');
    const ids = (run: string) => [run, predictionId('fraud', 'event-64', 0, run, 'answer', 0), 64 / 1024];
    const byRun = found.toSorted((a, b) => (a.runId < b.runId ? -1 : 1));
    expect(byRun.map(one => [one.runId, one.predictionId, one.outputs['score']])).toEqual([ids('again'), ids('live'), ids('live')]);
    const { runId: _r, predictionId: _p, batchId: _b, vectorOffset: _v, scoredAt: _s, partition: _o, ...rest } = found.find(one => one.runId === 'again')!;
    expect(found[0]).toMatchObject(rest);
    expect([seen.get('millrace_end_to_end_seconds fraud scored'), seen.get('millrace_predictions_total fraud approve')]).toEqual([2, 3]);
  }); // prettier-ignore

  test('the shipped models, in threads of their own, answer as they were trained to', async () => {
    await world.alias('1');
    await world.vectors(many(300));
    await world.start({ models: SHIPPED_MODELS, makeScorer: workerScorer }).start(signal);
    const found = await world.scored(300);
    expect(new Set(found.map(p => p.eventId)).size).toBe(300);
    expect(found.every(({ outputs: { score } }) => score! >= 0 && score! <= 1)).toBe(true);
  });
});

describe('what cannot be scored', () => {
  test('is rejected alone, with its reason; the rest is scored', async () => {
    await world.alias('1');
    const good = many(60, 200);
    const bad = [
      vectorOf(POISON, { entity: 'poison' }),
      vectorOf(UNANSWERABLE, { entity: 'unanswerable' }),
      vectorOf(3, { entity: 'other-version', featureSet: 2 }),
      vectorOf(4, { entity: 'other-hash', featureSetHash: '00'.repeat(32) }),
    ];
    await world.vectors([...good.slice(0, 30), ...bad, ...good.slice(30)]);
    await world.send([
      { topic: TOPICS.features, partition: 0, key: utf8('gone'), value: null },
      { topic: TOPICS.features, partition: 0, key: utf8('frameless'), value: utf8('{"no":"frame"}') },
    ]);
    const { metrics, seen } = counting();
    await world.start({ metrics }).start(signal);
    expect(byEvent(await world.scored(60)).map(p => p.eventId)).toEqual(good.map(v => v.eventId));
    await until(
      () => seen.get(`millrace_records_skipped_total ${TOPICS.features} tombstone`) === 1,
      'skipped',
    );
    const rejected = (reason: string): number | undefined =>
      seen.get(`millrace_records_rejected_total ${TOPICS.features} ${reason}`);
    await until(
      () =>
        rejected('scoring-failed') === 2 && rejected('feature-mismatch') === 2 && rejected('bad-frame') === 1,
      'rejected, each with its reason',
    );
    const keys = (await world.deadLetters()).map(([key]) => key).sort();
    expect(keys).toEqual(['frameless', 'other-hash', 'other-version', 'poison', 'unanswerable']);
    expect(await world.predictions()).toHaveLength(60);
  });
});

describe('control', () => {
  test('without an alias it is not ready and says so; the alias brings it to life', async () => {
    await world.vectors(many(5));
    const service = world.start();
    await service.start(signal);
    expect(service.notReady?.()).toBe('fraud: the control topic names no model yet');
    expect(await world.predictions()).toEqual([]);
    await world.alias('9');
    await until(
      () => service.notReady!()!.includes('there is no such model'),
      'a reason that names the model',
    );
    await world.alias('1');
    expect((await world.scored(5)).every(p => p.controlRevision === 2)).toBe(true);
    await until(() => service.notReady?.() === undefined, 'ready');
  });

  test('a swap takes effect between batches; one that fails leaves the old model', async () => {
    writeModel(world.models, { name: 'fraud', version: '2', divisor: 2048 });
    const featureSet = { pipeline: 'fraud', version: 1, hash: '11'.repeat(32) };
    writeModel(world.models, { name: 'fraud', version: '3', divisor: 1, changes: { featureSet } });
    const golden = { rows: [FEATURES.map(() => 1)], outputs: [[99]], tolerance: 0 };
    writeModel(world.models, { name: 'fraud', version: '4', divisor: 1, changes: { golden } });
    await world.alias('1');
    await world.start().start(signal);
    const scoredNext = async (from: number, total: number): Promise<[string, number, number]> => {
      await world.vectors([vectorOf(from)]);
      const { modelVersion, controlRevision, outputs } = (await world.scored(total)).find(
        p => p.sequence === from,
      )!;
      return [modelVersion, controlRevision, outputs['score']!];
    };
    expect(await scoredNext(512, 1)).toEqual(['1', 1, 0.5]);
    await world.alias('2');
    for (let n = 1; ; n++) {
      const [version, revision, score] = await scoredNext(512 + n, 1 + n);
      // Model, revision and figure change together.
      expect([version, revision]).toEqual(version === '1' ? ['1', 1] : ['2', 2]);
      expect(score).toBe(Math.fround((512 + n) / (version === '1' ? 1024 : 2048)));
      if (version === '2') break;
      expect(n).toBeLessThan(200);
    }
    const before = (await world.predictions()).length;
    await world.alias('3');
    await world.alias('4');
    await world.control({ kind: 'thresholds', name: 'default', value: { block: 0.1 } });
    for (let n = 1; ; n++) {
      const [version, revision] = await scoredNext(1024 + n, before + n);
      expect(version).toBe('2');
      if (revision === 5) break;
      expect(revision).toBe(2);
      expect(n).toBeLessThan(200);
    }
    expect((await world.predictions()).find(p => p.controlRevision === 5)!.decision).toBe('block');
  });

  test('a control record that cannot be used changes nothing', async () => {
    await world.alias('1');
    await world.start().start(signal);
    await world.control({ kind: 'thresholds', name: 'default', value: { block: 'low' } as never });
    await world.vectors([vectorOf(512)]);
    expect((await world.scored(1))[0]).toMatchObject({ controlRevision: 1, decision: 'review' });
  });
});

describe('when the engine is lost', () => {
  test('the smaller model answers, then the constant, both labelled; a row at fault is not covered up', async () => {
    writeModel(world.models, { name: 'fraud-small', version: '1', divisor: 4096 });
    await world.alias('1');
    await world.start().start(signal);
    lost.add('fraud');
    await world.vectors([vectorOf(1024)]);
    expect((await world.scored(1))[0]).toMatchObject({
      model: 'fraud-small', modelVersion: '1', engine: 'cpu', fallback: 'model-failed', outputs: { score: 0.25 },
    }); // prettier-ignore
    await world.vectors([vectorOf(POISON, { entity: 'poison' })]);
    lost.add('fraud-small');
    await world.vectors([vectorOf(1025)]);
    const found = await world.scored(2);
    expect(found.find(p => p.sequence === 1025)).toMatchObject({
      model: '', modelVersion: '', modelDigest: '', engine: null, fallback: 'model-failed', decision: 'approve',
    }); // prettier-ignore
  });

  test('it is brought back', async () => {
    await world.alias('1');
    await world.start().start(signal);
    engines.delete('fraud 1');
    await world.vectors([vectorOf(512)]);
    expect((await world.scored(1))[0]).toMatchObject({ model: '', outputs: { score: Math.fround(0.01) } });
    await until(() => engines.has('fraud 1'), 'a new engine');
    for (let n = 1; n < 100; n++) {
      await world.vectors([vectorOf(512 + n)]);
      const last = (await world.scored(1 + n)).find(p => p.sequence === 512 + n);
      if (last?.fallback === null) break;
    }
    expect((await world.predictions()).some(p => p.model === 'fraud')).toBe(true);
  });
});

test('it starts and stops at any time, twice too', async () => {
  const service = world.start();
  await service.stop(1000);
  await world.alias('1');
  const other = world.start();
  await other.start(signal);
  await Promise.all([other.stop(1000), other.stop(1000)]);
  expect(other.notReady?.()).toBe('stopped');
});
