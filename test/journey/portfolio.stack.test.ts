/**
 * A portfolio that ships, as a newcomer takes it through: sent by the command line, scored as it comes and at night, and
 * judged by what became of the clients.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Bad, openCodec } from '@millrace/avro';
import { decoded, type World } from '@millrace/cli';
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import { credit } from '@millrace/pipelines';
import { describeUnless } from '../jest/skip.ts';
import { noStack, uniqueName } from '../jest/stack.ts';
import { millrace } from './command.ts';
import { type Ends, endsOf, eventually, type Journey, startJourney } from './world.ts';

const TOPICS = topicsOf(credit);
const CLIENTS = 7_500;
const LIMIT_MS = 180_000;
/** Event time of the portfolio: what other tests send is not of that day. */
const DAY = '2005-10-01';

interface Sent {
  readonly rows: number;
  readonly rejected: number;
  readonly sent: Readonly<Record<string, number>>;
  readonly there: Readonly<Record<string, number>>;
}

interface Figures {
  readonly group: Readonly<Record<string, string>>;
  readonly rows: number;
  readonly positives: number;
  readonly auc: number;
  readonly thresholds: readonly { readonly threshold: string; readonly balancedAccuracy: number }[];
  readonly fairness: readonly { readonly of: string; readonly group: string; readonly equalOpportunity: number }[];
} // prettier-ignore

/** Clients of the portfolio that have an answer of a run. */
const answered = async (world: World, from: Ends, run: string): Promise<Set<string>> => {
  const codec = await openCodec<PredictionValue>(
    world.registry,
    catalogue([credit]).find(({ name }) => name === TOPICS.predictions)!.value!,
  );
  const until = await endsOf(world, TOPICS.predictions);
  const found = new Set<string>();
  for await (const { value } of decoded(world.broker.read({ from, until }), codec))
    if (
      value !== null &&
      !(value instanceof Bad) &&
      value.runId === run &&
      value.entity.startsWith('taiwan-')
    )
      found.add(value.entity);
  return found;
};

describeUnless(noStack)('a portfolio that ships', () => {
  let journey: Journey;
  let from: Ends;
  beforeAll(async () => {
    journey = await startJourney(['feature', 'inference'], { pipelines: [credit] });
    from = await endsOf(journey.world, TOPICS.predictions);
  }, LIMIT_MS);
  afterAll(() => journey?.close(), LIMIT_MS);

  const send = async (): Promise<Sent> => {
    const { code, lines, said } = await millrace('publish --pipeline credit --portfolio taiwan:test --output json'); // prettier-ignore
    if (code !== 0) throw new Error(said);
    return JSON.parse(lines.at(-1)!) as Sent;
  };

  test('is sent once however often, scored by day and by night, and judged as it was published', async () => {
    const { world } = journey;
    const all = { clients: CLIENTS, outcomes: CLIENTS };
    expect(await send()).toMatchObject({ rows: CLIENTS, rejected: 0, sent: all });
    const live = await eventually(
      () => answered(world, from, 'live'),
      found => found.size === CLIENTS,
      found => `${found.size} of ${CLIENTS} clients have an answer`,
    );
    const ends = await endsOf(world, TOPICS.scored);
    expect(await send()).toMatchObject({ rows: CLIENTS, sent: { clients: 0, outcomes: 0 }, there: all });
    expect(await endsOf(world, TOPICS.scored)).toEqual(ends);

    const run = uniqueName('night');
    const night = await millrace(`batch run --pipeline credit --run ${run} --output json`);
    // The night takes the clients along that other tests have sent to this stack.
    expect([night.code, (await answered(world, from, run)).intersection(live).size]).toEqual([0, CLIENTS]);

    const judged = await millrace(`evaluate --pipeline credit --by run,lineage.source --from ${DAY} --to ${DAY} --output json`);
    expect(judged.code).toBe(0);
    const { groups } = JSON.parse(judged.lines.at(-1)!) as { groups: Figures[] };
    for (const name of ['live', run]) {
      const figures = groups.find(({ group }) => group['run'] === name && group['lineage.source'] === 'taiwan:test')!;
      expect([figures.rows, figures.positives]).toEqual([CLIENTS, 1_659]);
      // Of this model, by scikit-learn and fairlearn; the study published 0.724, 0.68451 and -0.05668.
      expect(figures.auc).toBeCloseTo(0.725129, 5);
      const act = figures.thresholds.find(({ threshold }) => threshold === 'act')!;
      expect(act.balancedAccuracy).toBeCloseTo(0.684546, 5);
      const men = figures.fairness.find(({ of, group }) => of === 'sex' && group === 'male')!;
      expect(men.equalOpportunity).toBeCloseTo(-0.060991, 5);
    }
  }, LIMIT_MS); // prettier-ignore
});
