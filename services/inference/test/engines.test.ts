/** Rows on the engine that their rule names: two engines by one contract, told apart by their names. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Engine, lt, field, type Route } from '@millrace/define';
import { type MakeScorer, type Model, ScorerLost, ScoringError } from '@millrace/model';
import fc from 'fast-check';
import { scoreOnEngines } from '../src/engines.ts';
import { counting } from './counting.ts';
import { fakeScorer, FEATURES, type Prediction, until, vectorOf, World, writeModel } from './harness.ts';
import { nightIn } from './nightIn.ts';

const signal = new AbortController().signal;
const COUNT = 200;
const [SMALL, LARGE, LIMIT] = [100, 1_000, 500];
/** Refused on the GPU alone, and on both. */
const [REFUSED, POISONED] = [SMALL + 7, SMALL + 8];
/** Small and large ones in turn, so that batches are mixed. */
const AMOUNTS = Array.from({ length: COUNT }, (_, i) => (i % 2 === 0 ? SMALL : LARGE) + (i >> 1));
const small = AMOUNTS.filter(amount => amount < LIMIT);
const large = AMOUNTS.filter(amount => amount >= LIMIT);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

let world: World;
/** Amounts that each execution provider answered, golden rows left out. */
let answered: Record<string, number[]>;
let closed: string[];
/** What is wrong with the GPU. */
let fault: 'none' | 'opens-not' | 'lost' | 'refuses';

const make: MakeScorer = async (bytes, manifest) => {
  const [provider] = manifest.providers;
  if (provider === 'cuda' && fault === 'opens-not') throw new Error('no library for it');
  const scorer = await fakeScorer(bytes, manifest);
  return {
    provider: provider!,
    close: async () => void closed.push(`${manifest.version} ${provider}`),
    async score(batch) {
      const amounts = Array.from({ length: batch.rows }, (_, i) => batch.data[i * FEATURES.length]!);
      const isGpu = provider === 'cuda';
      const isLive = amounts.some(amount => amount >= SMALL);
      if (isGpu && isLive && fault === 'lost') throw new ScorerLost('the GPU fell off the bus');
      if (fault === 'refuses' && (amounts.includes(POISONED) || (isGpu && amounts.includes(REFUSED))))
        throw new ScoringError(`${provider} refuses this amount`);
      const scored = await scorer.score(batch);
      if (isLive) (answered[provider!] ??= []).push(...amounts);
      return scored;
    },
  };
};

const smallOnGpu = (to: Route['to'] = 'stream'): readonly Route[] => [
  { name: 'small', to, engine: 'gpu', when: lt(field('amount'), LIMIT) },
  { name: 'large', to: 'stream' },
];

beforeEach(async () => {
  [answered, closed, fault] = [{}, [], 'none'];
  world = await World.open();
  for (const [i, version] of ['1', '2'].entries())
    writeModel(world.models, { name: 'fraud', version, divisor: 2_048 * (i + 1) });
  await world.alias('1');
});
afterEach(() => world.close());

const routes = (rules: readonly Route[]): Promise<number> =>
  world.control({ kind: 'routes', name: 'default', value: { version: 1, rules } });
const logged: string[] = [];
const logger = (() => {
  // These worlds have no model for the pipeline's fallback, which is said too.
  const note = (_: unknown, line: string): void => void (line.includes('engine') && logged.push(line));
  const one = { info: () => undefined, debug: () => undefined, warn: note, error: note, child: () => one };
  return one as never;
})();
const start = async (gpu: 'off' | 'cuda' = 'cuda') => {
  logged.length = 0;
  const { metrics, seen } = counting();
  const service = world.start({ makeScorer: make, config: { commitIntervalMs: 5, gpu }, metrics, logger });
  await service.start(signal);
  await until(() => service.notReady?.() === undefined, 'ready');
  return {
    service,
    displaced: (engine: Engine) => seen.get(`millrace_engine_unavailable_total fraud ${engine}`),
  };
};
const send = (): Promise<void> => world.vectors(AMOUNTS.map(n => vectorOf(n)));
/** Amounts by what their predictions say that the model ran on: it must be what the engines themselves were asked. */
const saidBy = (found: readonly Prediction[]) => {
  const of = Object.entries(
    Object.groupBy(found, ({ engine }) => (engine === 'gpu' ? 'cuda' : String(engine))),
  );
  return Object.fromEntries(of.map(([name, ones]) => [name, sorted(ones!.map(({ sequence }) => sequence))]));
};
/** Each vector has one answer, with its own score and rule and the engine that gave it, in the order of its partition. */
const answersAreRight = (found: readonly Prediction[], amounts: readonly number[] = AMOUNTS): void => {
  expect(saidBy(found)).toEqual(answeredBy());
  expect(sorted(found.map(({ sequence }) => sequence))).toEqual(sorted(amounts));
  for (const { sequence, outputs, route, fallback } of found)
    expect([outputs['score'], route, fallback]).toEqual([
      Math.fround(sequence / 2_048), sequence < LIMIT ? 'small' : 'large', null,
    ]); // prettier-ignore
  for (const of of Map.groupBy(found, ({ partition }) => partition).values()) {
    const offsets = of.map(({ vectorOffset }) => vectorOffset);
    expect(offsets).toEqual(sorted(offsets));
  }
};
const answeredBy = () => Object.fromEntries(Object.entries(answered).map(([name, of]) => [name, sorted(of)]));

describe('in the stream', () => {
  test('rows go to the engine that their rule names, in one batch too, and come back in order', async () => {
    await routes(smallOnGpu());
    await send();
    const { displaced } = await start();
    const found = await world.scored(COUNT);
    answersAreRight(found);
    expect(answeredBy()).toEqual({ cuda: small, cpu: large });
    const batches = Map.groupBy(found, ({ batchId }) => batchId);
    expect([...batches.values()].some(of => new Set(of.map(({ route }) => route)).size === 2)).toBe(true);
    expect([displaced('gpu'), logged]).toEqual([undefined, []]);
  });

  test('a model that its manifest puts on the GPU answers on the CPU where a rule says so', async () => {
    writeModel(world.models, { name: 'fraud', version: '1', divisor: 2_048, changes: { providers: ['cuda', 'cpu'] } });
    const [first, last] = smallOnGpu();
    await routes([{ ...first!, engine: 'cpu' }, last!]);
    await send();
    await start();
    answersAreRight(await world.scored(COUNT));
    expect(answeredBy()).toEqual({ cpu: small, cuda: large });
  }); // prettier-ignore

  test('in a process without a GPU the own engine answers, and it is counted and said once', async () => {
    await routes(smallOnGpu());
    await send();
    const { displaced } = await start('off');
    answersAreRight(await world.scored(COUNT));
    expect(answeredBy()).toEqual({ cpu: sorted(AMOUNTS) });
    expect(displaced('gpu')).toBe(small.length);
    expect(logged).toEqual([
      "rules ask for engine 'gpu', and model fraud 1 is not opened on it here: its own engine answers",
    ]);
  });

  test('a GPU that does not open a model is told of, and the own engine answers', async () => {
    fault = 'opens-not';
    await routes(smallOnGpu());
    await send();
    const { displaced } = await start();
    answersAreRight(await world.scored(COUNT));
    expect([answeredBy(), displaced('gpu')]).toEqual([{ cpu: sorted(AMOUNTS) }, small.length]);
    expect(logged[0]).toBe('a model is not on its second engine');
  });

  test('a GPU that is lost takes no answer with it, and the model is opened anew', async () => {
    fault = 'lost';
    await routes(smallOnGpu());
    await send();
    const { displaced } = await start();
    answersAreRight(await world.scored(COUNT));
    expect([answeredBy(), displaced('gpu')]).toEqual([{ cpu: sorted(AMOUNTS) }, small.length]);
    expect(logged).toContain(
      "rules ask for engine 'gpu', and model fraud 1 did not answer on it: its own engine answers",
    );
    await until(() => closed.length === 2, 'the model is opened anew');
    expect(closed.toSorted()).toEqual(['1 cpu', '1 cuda']);
  });

  test('what the GPU alone refuses is answered on the own engine; what both refuse is a dead letter', async () => {
    fault = 'refuses';
    await routes(smallOnGpu());
    await send();
    const { displaced } = await start();
    answersAreRight(await world.scored(COUNT - 1), AMOUNTS.filter(amount => amount !== POISONED));
    const without = (...out: readonly number[]) => small.filter(amount => !out.includes(amount));
    expect(answeredBy()).toEqual({ cuda: without(REFUSED, POISONED), cpu: [REFUSED, ...large] });
    expect(displaced('gpu')).toBe(1);
    await until(async () => (await world.deadLetters()).length === 1, 'the dead letter');
    expect((await world.deadLetters())[0]![1]).toContain('reason=scoring-failed');
  }); // prettier-ignore

  test('a switch of the model closes it on both engines, and so does the end', async () => {
    const { service } = await start();
    await world.alias('2');
    await until(() => closed.length === 2, 'the first is closed');
    expect(closed.toSorted()).toEqual(['1 cpu', '1 cuda']);
    await service.stop(5_000);
    expect(closed.slice(2).toSorted()).toEqual(['2 cpu', '2 cuda']);
  });
});

describe('by night', () => {
  const putOff = async (): Promise<void> => {
    await routes(smallOnGpu('night'));
    await start('off');
    await send();
    await until(async () => {
      const at = await world.ground.broker.admin.committed('millrace.inference.fraud', [
        world.topics.features,
      ]);
      return at.reduce((sum, { offset }) => sum + offset, 0) >= COUNT;
    }, 'everything is passed');
    answered = {};
  };
  const newest = sorted([...Map.groupBy(AMOUNTS, n => n % 10).values()].map(of => of.at(-1)!));

  test('what was put off and the portfolio are answered on the engine that their rule names', async () => {
    await putOff();
    // What was put off keeps its engine, whatever the rules say by then.
    await routes([{ name: 'large', to: 'stream' }]);
    const { report } = await nightIn(world, { makeScorer: make, gpu: 'cuda' });
    expect(report.putOff.scored).toBe(small.length);
    const live = (await world.predictions()).filter(({ runId }) => runId === 'live');
    expect(sorted(live.map(({ sequence }) => sequence))).toEqual(sorted(AMOUNTS));
    expect(answeredBy()).toEqual({ cuda: small, cpu: newest });
    expect(saidBy(live)).toEqual({ cuda: small, cpu: large });
    expect(closed.slice(-4).toSorted()).toEqual(['1 cpu', '1 cpu', '1 cuda', '1 cuda']);

    const split = LARGE + 95;
    await routes([
      { name: 'small', to: 'night', engine: 'gpu', when: lt(field('amount'), split) },
      { name: 'large', to: 'stream' },
    ]);
    answered = {};
    await nightIn(world, { makeScorer: make, gpu: 'cuda', run: 'n2' });
    expect(answeredBy()).toEqual({
      cuda: newest.filter(amount => amount < split),
      cpu: newest.filter(amount => amount >= split),
    });
    expect(saidBy((await world.predictions()).filter(({ runId }) => runId === 'n2'))).toEqual(answeredBy());
  });

  test('without a GPU the own engine answers; it is counted, and told of', async () => {
    await putOff();
    await routes([{ name: 'large', to: 'stream' }]);
    const { metrics, seen } = counting();
    const told: string[] = [];
    const { report } = await nightIn(world, { makeScorer: make, metrics, tell: line => told.push(line) });
    expect(report.putOff.scored).toBe(small.length);
    expect(answeredBy()).toEqual({ cpu: sorted([...small, ...newest]) });
    expect(seen.get('millrace_engine_unavailable_total fraud gpu')).toBe(small.length);
    expect(told.filter(line => line.includes("engine 'gpu'"))).toHaveLength(1);
  });
});

test('whatever rows ask for and whatever an engine refuses, each has the answer that it has alone', async () => {
  const row = fc.record({
    engine: fc.constantFrom(undefined, 'cpu' as const, 'gpu' as const),
    refused: fc.constantFrom('no', 'gpu', 'both'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 40 }), fc.boolean(), async (rows, hasGpu) => {
      const scorer = (provider: string): Model['scorer'] => ({
        provider,
        close: async () => undefined,
        async score({ rows: count, data }) {
          for (const i of data) {
            const { refused } = rows[i]!;
            if (refused === 'both' || (refused === 'gpu' && provider === 'cuda'))
              throw new ScoringError('refused');
          }
          return { data: data.map(i => i * 2), computeMs: count };
        },
      });
      const widths = { input: 1, output: 1 };
      const model = {
        scorer: scorer('cpu'),
        beside: hasGpu ? scorer('cuda') : undefined,
        widths,
      } as unknown as Model;
      const routed = rows.map(({ engine }) => ({ route: 'r', routeVersion: 1, to: 'stream' as const, review: false, ...(engine && { engine }) })); // prettier-ignore
      let displaced = 0;
      const batch = { rows: rows.length, data: Float32Array.from(rows, (_, i) => i) };
      const { data, failed, calls, ownCalls, engineOf } = await scoreOnEngines(model, batch, routed, (_, n) => void (displaced += n)); // prettier-ignore
      const isBad = rows.map(({ refused }, i) => (refused === 'both' ? i : -1)).filter(i => i >= 0);
      // Without a GPU nothing is refused by it.
      expect(sorted([...failed.keys()])).toEqual(isBad);
      for (const [i, one] of rows.entries()) {
        if (failed.has(i)) continue;
        expect(data[i]).toBe(i * 2);
        expect(engineOf(i)).toBe(hasGpu && one.engine === 'gpu' && one.refused === 'no' ? 'gpu' : 'cpu');
      }
      const onGpu = rows.filter(one => one.engine === 'gpu');
      expect(displaced).toBe((hasGpu ? onGpu.filter(one => one.refused === 'gpu') : onGpu).length);
      const sum = (of: typeof calls) => of.reduce((all, call) => all + call.rows, 0);
      expect(sum(calls)).toBe(rows.length - isBad.length);
      expect(sum(calls) - sum(ownCalls)).toBe(hasGpu ? onGpu.filter(one => one.refused === 'no').length : 0);
    }),
  );
});
