import {
  count, dayOfWeek, definePipeline, derived, type Duration, type FeatureDefinition, featureSet, featureView, field, ge, hour, le, mean, multiply,
  output, share, threshold,
} from '@millrace/define'; // prettier-ignore

const WINDOWS: readonly Duration[] = ['1d', '7d', '30d'];
/** A fraud comes to light within a week, so terminals are judged by what is at least that old. */
const LABEL_DELAY: Duration = '7d';

const overWindows = (
  features: (window: Duration) => Readonly<Record<string, FeatureDefinition>>,
): Readonly<Record<string, FeatureDefinition>> => Object.assign({}, ...WINDOWS.map(features));

export const calendar = featureView({
  name: 'calendar',
  version: 1,
  owner: 'payments-risk',
  description: 'When the payment was made: on Saturday or Sunday; in the hours 0 to 6.',
  features: {
    txDuringWeekend: derived(ge(dayOfWeek(field('txAt')), 6)),
    txDuringNight: derived(le(hour(field('txAt')), 6)),
  },
});

export const customerSpending = featureView({
  name: 'customer-spending',
  version: 1,
  key: 'customerId',
  owner: 'payments-risk',
  description: "Number and mean amount of the customer's payments, this one with them.",
  features: overWindows(window => ({
    [`customerTxCount${window}`]: count({ of: 'transactions', window }),
    [`customerAvgAmount${window}`]: mean({ of: 'transactions', value: field('amount'), scale: 2, window }),
  })),
});

export const terminalRisk = featureView({
  name: 'terminal-risk',
  version: 1,
  key: 'terminalId',
  owner: 'payments-risk',
  description:
    "Number of the terminal's payments that are at least a week old, and the share of frauds among them.",
  freshness: { staleAfter: '2d', policy: 'score' },
  features: overWindows(window => ({
    [`terminalTxCount${window}`]: count({ of: 'transactions', window, delay: LABEL_DELAY }),
    [`terminalRisk${window}`]: share({ of: 'labels', where: field('isFraud'), window, delay: LABEL_DELAY }),
  })),
});

/**
 * Scores card payments as they happen. Each payment has one label, fraud or not, published when it is known; the
 * share of frauds is taken over the labels.
 */
export const fraud = definePipeline({
  name: 'fraud',
  description: 'Card payments, scored as they happen.',
  entity: 'customerId',
  timeZone: 'UTC',
  partitions: 6,
  scores: 'transactions',
  events: {
    transactions: { schema: 'fraud/transaction', time: 'txAt', keys: ['customerId', 'terminalId'] },
    labels: {
      schema: 'fraud/label',
      of: 'transactions',
      time: 'txAt',
      knownAt: 'knownAt',
      keys: ['customerId', 'terminalId'],
    },
  },
  features: featureSet({
    version: 1,
    inputs: { amount: field('amount') },
    views: [calendar, customerSpending, terminalRisk],
  }),
  model: { name: 'fraud', outputs: ['score'], fallback: ['fraud-small', { constant: { score: 0.01 } }] },
  thresholds: { block: 0.5, review: 0.2 },
  decisions: [
    { name: 'block', when: ge(output('score'), threshold('block')) },
    { name: 'review', when: ge(output('score'), threshold('review')) },
    { name: 'approve' },
  ],
  kpis: { expectedLoss: multiply(output('score'), field('amount')) },
  evaluation: { labels: 'labels', truth: field('isFraud'), output: 'score' },
});
