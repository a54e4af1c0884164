import {
  definePipeline,
  type Expression,
  featureSet,
  field,
  ge,
  max,
  multiply,
  output,
  threshold,
} from '@millrace/define';

const MONTHS = [1, 2, 3, 4, 5, 6];

/** Fields of the event that the model gets as they are, in its order. */
const asTheyAre = (names: readonly string[]): Readonly<Record<string, Expression>> =>
  Object.fromEntries(names.map(name => [name, field(name)]));

/**
 * Scores a portfolio of credit-card clients: at night all of them, each by the newest record of its account
 * (`millrace batch run --pipeline credit`), and each record as it comes. The score is the probability of a default in the
 * month that follows.
 */
export const credit = definePipeline({
  name: 'credit',
  description: 'A portfolio of credit-card clients, scored at night.',
  entity: 'clientId',
  timeZone: 'UTC',
  partitions: 3,
  scores: 'clients',
  events: {
    clients: { schema: 'credit/client', time: 'recordedAt', keys: ['clientId'] },
    outcomes: {
      schema: 'credit/outcome',
      of: 'clients',
      time: 'recordedAt',
      knownAt: 'knownAt',
      keys: ['clientId'],
    },
  },
  features: featureSet({
    version: 1,
    inputs: asTheyAre([
      'creditLimit',
      'sex',
      'education',
      'maritalStatus',
      'age',
      ...['repaymentStatus', 'billAmount', 'paidAmount'].flatMap(name => MONTHS.map(m => `${name}${m}`)),
    ]),
    views: [],
  }),
  // A portfolio can wait until its model answers: nothing else stands in for it.
  model: { name: 'credit', outputs: ['score'], fallback: [] },
  thresholds: { act: 0.57, watch: 0.4 },
  decisions: [
    { name: 'act', when: ge(output('score'), threshold('act')) },
    { name: 'watch', when: ge(output('score'), threshold('watch')) },
    { name: 'keep' },
  ],
  kpis: {
    exposure: max(field('billAmount1'), 0),
    expectedLoss: multiply(output('score'), max(field('billAmount1'), 0)),
  },
  // The bank's night.
  night: { cron: '30 1 * * *', timeZone: 'Asia/Taipei', startWithin: '2h', takesAtMost: '3h' },
  evaluation: {
    labels: 'outcomes',
    truth: field('defaulted'),
    output: 'score',
    fairness: {
      threshold: 'act',
      groups: {
        sex: { 1: 'male', 2: 'female' },
        maritalStatus: { 0: 'unknown', 1: 'married', 2: 'single', 3: 'others' },
      },
    },
  },
});
