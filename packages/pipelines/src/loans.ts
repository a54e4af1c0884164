import { definePipeline, featureSet, field, ge, multiply, output, threshold } from '@millrace/define';

/**
 * Scores a portfolio of home-equity loans, quarter by quarter. What a record does not say is missing in its vector, and the
 * model fills it in. The score is the probability that the loan is not paid back.
 */
export const loans = definePipeline({
  name: 'loans',
  description: 'A portfolio of home-equity loans, scored each quarter.',
  entity: 'loanId',
  timeZone: 'UTC',
  partitions: 3,
  scores: 'loans',
  events: {
    loans: { schema: 'loans/loan', time: 'recordedAt', keys: ['loanId'] },
    outcomes: {
      schema: 'loans/outcome',
      of: 'loans',
      time: 'recordedAt',
      knownAt: 'knownAt',
      keys: ['loanId'],
    },
  },
  features: featureSet({
    version: 1,
    inputs: {
      amount: field('amount'),
      mortgageDue: field('mortgageDue'),
      propertyValue: field('propertyValue'),
      yearsOnJob: field('yearsOnJob'),
      derogatoryReports: field('derogatoryReports'),
      delinquentLines: field('delinquentLines'),
      oldestLineMonths: field('oldestLineMonths'),
      recentInquiries: field('recentInquiries'),
      creditLines: field('creditLines'),
      debtToIncome: field('debtToIncome'),
    },
    views: [],
  }),
  model: { name: 'loans', outputs: ['score'], fallback: [] },
  thresholds: { decline: 0.5, review: 0.2 },
  decisions: [
    { name: 'decline', when: ge(output('score'), threshold('decline')) },
    { name: 'review', when: ge(output('score'), threshold('review')) },
    { name: 'accept' },
  ],
  kpis: { exposure: field('amount'), expectedLoss: multiply(output('score'), field('amount')) },
  evaluation: { labels: 'outcomes', truth: field('defaulted'), output: 'score' },
});
