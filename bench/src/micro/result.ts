/** What a run of `bench micro` comes to: a table to read, and one object. Pure. */
import { median } from '../figures.ts';

export interface MicroRound {
  readonly piece: string;
  /** 0 warms up, and is in no figure. */
  readonly round: number;
  /** Microseconds of CPU for a record. */
  readonly us: number;
  /** What was wrong with the output. */
  readonly wrong: string | undefined;
}

export interface MicroFigures {
  readonly bestUs: number;
  readonly medianUs: number;
}

export interface MicroResult {
  readonly bench: 'micro';
  readonly records: number;
  /** By name, in order. */
  readonly pieces: Readonly<Record<string, MicroFigures>>;
  readonly correct: boolean;
  readonly judgedBy: string;
  readonly rounds: readonly MicroRound[];
}

const DIGITS = 3;
const rounded = (value: number): number => Number(value.toFixed(DIGITS));

const figuresOf = (us: readonly number[]): MicroFigures => ({
  bestUs: rounded(Math.min(...us)),
  medianUs: rounded(median(us)),
});

export const microResult = (records: number, rounds: readonly MicroRound[]): MicroResult => {
  const counted = Map.groupBy(
    rounds.filter(({ round }) => round > 0),
    ({ piece }) => piece,
  );
  return {
    bench: 'micro',
    records,
    pieces: Object.fromEntries([...counted].map(([piece, of]) => [piece, figuresOf(of.map(({ us }) => us))])),
    correct: rounds.every(({ wrong }) => wrong === undefined),
    judgedBy: 'what another way gives',
    rounds,
  };
};

const WIDTHS = [34, 10, 10] as const;

const line = ([name, ...figures]: readonly [string, ...string[]]): string =>
  name.padEnd(WIDTHS[0]) + figures.map((figure, i) => figure.padStart(WIDTHS[i + 1]!)).join('');

export const microTable = ({ pieces, rounds }: MicroResult): readonly string[] => [
  line(['CPU of a record, µs', 'best', 'median']),
  ...Object.entries(pieces).map(([name, { bestUs, medianUs }]) =>
    line([name, bestUs.toFixed(DIGITS), medianUs.toFixed(DIGITS)]),
  ),
  ...rounds.flatMap(({ piece, round, wrong }) =>
    wrong === undefined ? [] : [`${piece}, round ${round}: WRONG: ${wrong}`],
  ),
];
