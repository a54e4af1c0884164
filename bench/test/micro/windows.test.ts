import { expect, test } from '@jest/globals';
import { type FeatureView } from '@millrace/define';
import type { FoldEvent } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import { customersOf } from '../../src/feature/pipeline.ts';
import { SIMULATION } from '../../src/load/payments.ts';
import { countedByHand } from '../../src/micro/byHand.ts';
import { Meter } from '../../src/micro/piece.ts';
import { windowsFolded } from '../../src/micro/windows.ts';

const DAY_MS = 86_400_000;
/** A machine that is busy with other tests may take as long. */
const LIMIT_MS = 300_000;

const event = (days: number, stream: string, more: Readonly<Record<string, unknown>> = {}): FoldEvent => ({
  stream,
  eventId: `${stream}-${days}`,
  revision: 0,
  withdrawn: false,
  time: days * DAY_MS,
  knownAt: undefined,
  sequence: 0,
  partition: 0,
  offset: 0,
  fields: { customerId: 'c', terminalId: 't', amount: 1, isFraud: false, ...more },
});

test('windows by hand: their ends, their delay, and whose events they hold', () => {
  const events = [
    event(60, 'transactions', { amount: 100 }),
    event(69, 'transactions', { customerId: 'd' }),
    event(60, 'labels', { isFraud: true }),
    event(70, 'transactions', { amount: 4 }),
    event(69, 'labels', { customerId: 'd' }),
    event(77, 'transactions', { amount: 2, terminalId: 'u' }),
    event(77, 'transactions', { amount: 6 }),
    event(77, 'transactions', { amount: 1_000 }),
  ];
  expect(countedByHand(events, 6)).toEqual({
    customerTxCount1d: 2, // of this day; the one of day 70 is seven days old, which is too old for the next
    customerAvgAmount1d: 4,
    customerTxCount7d: 2,
    customerAvgAmount7d: 4,
    customerTxCount30d: 4,
    customerAvgAmount30d: 28,
    terminalTxCount1d: 1, // of day 70
    terminalRisk1d: 0, // no label of that day: of nothing it is 0
    terminalTxCount7d: 2,
    terminalRisk7d: 0,
    terminalTxCount30d: 3,
    terminalRisk30d: 0.5,
  });
});

test(
  'the shipped views give what counting by hand gives, labels among them',
  async () => {
    // Labels come a week after their payments: few people have theirs within a few thousand events.
    const few = { ...SIMULATION, customers: 60, terminals: 12 };
    expect(await windowsFolded('any', fraud, 6_000, few).round(new Meter())).toBeUndefined();
  },
  LIMIT_MS,
);

test(
  'a window that is not what it is called is found wrong',
  async () => {
    const folded = async (features: FeatureView['features']): Promise<string | undefined> => {
      const pipeline = customersOf(1);
      const [view] = pipeline.features.views;
      const other = { ...pipeline, features: { ...pipeline.features, views: [{ ...view!, features }] } };
      return windowsFolded('any', other, 3_000).round(new Meter());
    };
    const { features } = fraud.features.views.find(({ key }) => key === 'customerId')!;
    expect(await folded(features)).toBeUndefined();
    const longer = { ...features, customerTxCount1d: features['customerTxCount7d']! };
    // Within the 3,000 payments there is hardly a second day.
    expect(await folded({ ...longer, customerAvgAmount1d: features['customerTxCount1d']! })).toMatch(
      /^customerAvgAmount1d of payment \d+ is \d+, and [\d.]+ by hand$/,
    );
  },
  LIMIT_MS,
);
