import {
  answer, definePipeline, eq, type Expression, feature, featureSet, field, ge, inForce, isMissing, kpi, max, multiply, or, output, subtract,
  threshold, when,
} from '@millrace/define'; // prettier-ignore

const MONTHS = [1, 2, 3, 4, 5, 6];

/** Fields of the event that the model gets as they are, in its order. */
const asTheyAre = (names: readonly string[]): Readonly<Record<string, Expression>> =>
  Object.fromEntries(names.map(name => [name, field(name)]));

const PRIVATE = 3;
const AFFLUENT = 2;
const MASS = 1;
/** What the bank may lose: what the client owes. */
const exposure = max(field('billAmount1'), 0);

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
    segments: { schema: 'credit/segment', time: 'since', keys: ['clientId'], table: true },
  },
  // The model does not get them, and need not be trained for them.
  reference: {
    tier: inForce({
      of: 'segments',
      value: when(
        eq(field('segment'), 'private'),
        PRIVATE,
        when(eq(field('segment'), 'affluent'), AFFLUENT, MASS),
      ),
    }),
    margin: inForce({ of: 'segments', value: field('margin') }),
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
  thresholds: { act: 0.57, actPrivate: 0.7, watch: 0.4, reviewExposure: 400_000, alertLoss: 150_000 },
  // Amounts are in the currency of the accounts.
  routes: [
    {
      name: 'large-exposure',
      to: 'stream',
      review: true,
      when: ge(field('billAmount1'), threshold('reviewExposure')),
    },
    { name: 'usual', to: 'stream' },
  ],
  decisions: [
    {
      name: 'act',
      when: ge(
        output('score'),
        when(eq(feature('tier'), PRIVATE), threshold('actPrivate'), threshold('act')),
      ),
    },
    { name: 'watch', when: ge(output('score'), threshold('watch')) },
    { name: 'keep' },
  ],
  kpis: {
    exposure,
    expectedLoss: multiply(output('score'), exposure),
    // A good client whose card is stopped earns the bank nothing for a year.
    falseAlarmCost: multiply(subtract(1, output('score')), multiply(feature('margin'), field('creditLimit'))),
    segment: when(
      isMissing(feature('tier')),
      'unknown',
      when(eq(feature('tier'), PRIVATE), 'private', when(eq(feature('tier'), AFFLUENT), 'affluent', 'mass')),
    ),
  },
  pushes: {
    alerts: {
      description: 'Clients with whom somebody has to speak, for the desk that does.',
      when: or(eq(answer('decision'), 'act'), ge(kpi('expectedLoss'), threshold('alertLoss'))),
      fields: {
        score: output('score'),
        segment: kpi('segment'),
        creditLimit: field('creditLimit'),
        exposure: kpi('exposure'),
        expectedLoss: kpi('expectedLoss'),
        falseAlarmCost: kpi('falseAlarmCost'),
      },
    },
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
