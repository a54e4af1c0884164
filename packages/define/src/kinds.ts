import type { Expression } from './expression.ts';

/** What an expression gives: a number, text, or true and false. */
export type Kind = 'number' | 'text' | 'flag';
/** `unknown`: it rests on a field whose kind nobody has told; `mixed`: text and a number by turns. */
export type KindFound = Kind | 'unknown' | 'mixed';

export const MIXED = 'it gives text in one case and a number in another: let every case give the same';

const FLAGS: ReadonlySet<string> = new Set([
  'not',
  'isMissing',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'and',
  'or',
]);
const FLAG_ANSWERS: ReadonlySet<string> = new Set(['review', 'late']);
const OF_CONSTANT = { number: 'number', string: 'text', boolean: 'flag' } as const;

/** What names lead to; what is not told here is unknown. */
export interface KindsOf {
  readonly field?: (name: string) => KindFound;
  readonly kpi?: (name: string) => KindFound;
}

const either = (a: KindFound, b: KindFound): KindFound => {
  if (a === b) return a;
  if (a === 'mixed' || b === 'mixed') return 'mixed';
  if (a === 'unknown' || b === 'unknown') return 'unknown';
  return a === 'text' || b === 'text' ? 'mixed' : 'number';
};

/** What an expression gives, missing left out. */
export const kindOf = (e: Expression, of: KindsOf): KindFound => {
  switch (e.op) {
    case 'constant':
      return OF_CONSTANT[typeof e.value as keyof typeof OF_CONSTANT];
    case 'field':
      return of.field?.(e.name) ?? 'unknown';
    case 'kpi':
      return of.kpi?.(e.name) ?? 'unknown';
    case 'answer':
      return FLAG_ANSWERS.has(e.name) ? 'flag' : 'text';
    case 'if':
      return either(kindOf(e.yes, of), kindOf(e.no, of));
    default:
      return FLAGS.has(e.op) ? 'flag' : 'number';
  }
};
