import { expect, test } from '@jest/globals';
import { featureNames } from '@millrace/define';
import { fraud, FRAUD_SIMULATION, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';
import {
  captureStretches,
  type DatasetRow,
  datasetRows,
  type DatasetSource,
} from '../../src/dataset/rows.ts';
import type { StreamValue } from '../../src/publish/publisher.ts';
import type { World } from '../../src/world/prepare.ts';
import { openWorld, published } from './world.ts';

const DAY_MS = 86_400_000;
const simulated = [...simulateFraud({ ...FRAUD_SIMULATION, customers: 10, terminals: 5, days: 14 })];

const rowsOf = async (world: World, source: DatasetSource): Promise<readonly DatasetRow[]> => {
  const evaluation = fraud.evaluation!;
  const all = { fromMs: 0, untilMs: Number.POSITIVE_INFINITY, asOfMs: Number.POSITIVE_INFINITY };
  const stretches = await captureStretches(world, fraud, source, evaluation);
  const { rows, unusable } = await datasetRows(world, fraud, {
    source,
    set: 1,
    evaluation,
    ...all,
    stretches,
  });
  expect(unusable).toBe(0);
  return rows.map(row => ({ ...row, features: Array.from(row.features) }));
};

/** What comes right behind a payment: revisions of it. The number says which payment. */
const REVISIONS: Readonly<Record<number, readonly { revision: number; withdrawn?: true; amount?: number }[]>> = {
  5: [{ revision: 1, amount: 700 }],
  15: [{ revision: 2, amount: 800 }, { revision: 1, amount: 900 }],
  25: [{ revision: 1, withdrawn: true }],
  35: [{ revision: 1, withdrawn: true }, { revision: 2, amount: 600 }],
  45: [{ revision: 1, withdrawn: true }, { revision: 1, withdrawn: true }, { revision: 0 }],
  // The same revision again has no effect, whatever it says.
  55: [{ revision: 0, withdrawn: true }],
  65: [{ revision: 1, amount: 500 }, { revision: 2, withdrawn: true }],
}; // prettier-ignore
/** What holds in the end of those that were touched; undefined: withdrawn. */
const AMOUNTS: Readonly<Record<number, number | undefined>> = { 5: 700, 15: 800, 25: undefined, 35: 600, 45: undefined, 65: undefined }; // prettier-ignore

interface Payment {
  readonly eventId: string;
  readonly customerId: string;
  readonly txAt: number;
  readonly amount: number;
}

/** Events as they come, and the payments that hold in the end. */
const corrected = (): { events: readonly StreamValue[]; standing: readonly Payment[] } => {
  const events: StreamValue[] = [];
  const standing: Payment[] = [];
  let payment = 0;
  for (const event of simulated as readonly SimulatedEvent[]) {
    events.push(published(event));
    if (event.stream !== 'transactions') continue;
    const at = payment++;
    for (const change of REVISIONS[at] ?? [])
      events.push({ stream: 'transactions', value: { ...published(event).value, ...change } });
    const amount = at in AMOUNTS ? AMOUNTS[at] : event.value.amount;
    if (amount !== undefined) standing.push({ ...event.value, amount });
  }
  return { events, standing };
};

test('each event is one row of its newest revision, and none where it is withdrawn, from both sources', async () => {
  const { events, standing } = corrected();
  const world = await openWorld(events);
  const served = await rowsOf(world, 'served');
  expect(await rowsOf(world, 'recomputed')).toEqual(served);
  expect(served.map(({ eventId }) => eventId)).toEqual(standing.map(({ eventId }) => eventId));

  // By a plain look through what holds in the end.
  const at = (name: string): number => featureNames(fraud.features).indexOf(name);
  const [amount, count, mean] = [at('amount'), at('customerTxCount7d'), at('customerAvgAmount7d')];
  served.forEach(({ features }, i) => {
    const own = standing[i]!;
    const within = standing
      .slice(0, i + 1)
      .filter(({ customerId, txAt }) => customerId === own.customerId && txAt > own.txAt - 7 * DAY_MS);
    const sum = within.reduce((all, one) => all + Math.round(one.amount * 100), 0);
    expect(features[amount]).toBe(Math.fround(own.amount));
    expect(features[count]).toBe(within.length);
    expect(features[mean]).toBeCloseTo(sum / 100 / within.length, 3);
  });
});
