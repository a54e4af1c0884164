/**
 * Portfolios that ship as example data, and how a row of their files becomes an event and what is known of it later.
 * `examples/README.md` says where they are from.
 */
import { join } from 'node:path';

/** One file of a portfolio. */
export interface PortfolioPart {
  /** Under `EXAMPLES_FOLDER`; CSV with a header line, gzip. */
  readonly file: string;
  /** What entities of this part are called before their number: those of two parts with one prefix are the same. */
  readonly prefix: string;
  /** Event time of its records, ISO 8601. */
  readonly recordedAt: string;
  /** When outcomes became known, ISO 8601. */
  readonly knownAt: string;
}

export interface Portfolio {
  readonly name: string;
  readonly pipeline: string;
  /** Column with the number of the entity; without one it is the number of the row in its file, the first being 1. */
  readonly idColumn?: string;
  /** Column of each field of the event. */
  readonly fields: Readonly<Record<string, string>>;
  readonly outcome: {
    readonly stream: string;
    /** Field of the label: true or false. */
    readonly field: string;
    readonly column: string;
    /** What stands in the column where it is true, and where it is false. */
    readonly whenTrue: string;
    readonly whenFalse: string;
  };
  readonly parts: Readonly<Record<string, PortfolioPart>>;
}

export const EXAMPLES_FOLDER = join(import.meta.dirname, '../examples');

const MONTHS = [1, 2, 3, 4, 5, 6];
const sixMonths = (field: string, column: string): Readonly<Record<string, string>> =>
  Object.fromEntries(MONTHS.map(month => [`${field}${month}`, `${column}${month}`]));

/** Figures of April to September 2005, and whether the client paid in October; the split is the published one. */
const TAIWAN_DAYS = { recordedAt: '2005-10-01T00:00:00Z', knownAt: '2005-11-01T00:00:00Z' };

const taiwan: Portfolio = {
  name: 'taiwan',
  pipeline: 'credit',
  idColumn: 'ID',
  fields: {
    creditLimit: 'LIMIT_BAL',
    sex: 'SEX',
    education: 'EDUCATION',
    maritalStatus: 'MARRIAGE',
    age: 'AGE',
    ...sixMonths('repaymentStatus', 'PAY_'),
    ...sixMonths('billAmount', 'BILL_AMT'),
    ...sixMonths('paidAmount', 'PAY_AMT'),
  },
  // In these files 1 is a client who has paid.
  outcome: { stream: 'outcomes', field: 'defaulted', column: 'TARGET', whenTrue: '0', whenFalse: '1' },
  parts: {
    train: { file: 'taiwan/creditdata_train_v2.csv.gz', prefix: 'taiwan', ...TAIWAN_DAYS },
    test: { file: 'taiwan/creditdata_test_v2.csv.gz', prefix: 'taiwan', ...TAIWAN_DAYS },
  },
};

/** The files have no dates: these are ours. What became of a loan is known a quarter later. */
const quarter = (file: string, recordedAt: string, knownAt: string): PortfolioPart => ({
  file,
  prefix: 'hmeq',
  recordedAt: `${recordedAt}T00:00:00Z`,
  knownAt: `${knownAt}T00:00:00Z`,
});

const hmeq: Portfolio = {
  name: 'hmeq',
  pipeline: 'loans',
  fields: {
    amount: 'LOAN',
    mortgageDue: 'MORTDUE',
    propertyValue: 'VALUE',
    reason: 'REASON',
    job: 'JOB',
    yearsOnJob: 'YOJ',
    derogatoryReports: 'DEROG',
    delinquentLines: 'DELINQ',
    oldestLineMonths: 'CLAGE',
    recentInquiries: 'NINQ',
    creditLines: 'CLNO',
    debtToIncome: 'DEBTINC',
  },
  outcome: { stream: 'outcomes', field: 'defaulted', column: 'BAD', whenTrue: '1', whenFalse: '0' },
  parts: {
    // All loans, those with empty cells too; the model is trained on some of them. They are others than those below.
    book: { ...quarter('hmeq/hmeq.csv.gz', '2024-12-31', '2025-03-31'), prefix: 'hmeq-book' },
    q1: quarter('hmeq/HMEQPERF_1_Q1.csv.gz', '2025-03-31', '2025-06-30'),
    q2: quarter('hmeq/HMEQPERF_2_Q2.csv.gz', '2025-06-30', '2025-09-30'),
    q3: quarter('hmeq/HMEQPERF_3_Q3.csv.gz', '2025-09-30', '2025-12-31'),
  },
};

/** Every portfolio that ships. */
export const portfolios: readonly Portfolio[] = [taiwan, hmeq];

/**
 * A portfolio and the parts of it that are meant: `taiwan` all of them, `taiwan:test` or `hmeq:q1,q2` those.
 * @throws RangeError naming what there is
 */
export const portfolioNamed = (
  text: string,
): { readonly portfolio: Portfolio; readonly parts: readonly string[] } => {
  const [name, wanted] = text.split(':');
  const portfolio = portfolios.find(one => one.name === name);
  if (portfolio === undefined)
    throw new RangeError(
      `there is no portfolio '${name}'; there are: ${portfolios.map(one => one.name).join(', ')}`,
    );
  const there = Object.keys(portfolio.parts);
  const parts = wanted?.split(',') ?? there;
  const unknown = parts.find(part => !there.includes(part));
  if (unknown !== undefined)
    throw new RangeError(`portfolio ${name} has no part '${unknown}'; it has: ${there.join(', ')}`);
  return { portfolio, parts };
};
