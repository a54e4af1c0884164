/**
 * Expressions are data: small trees built by functions, no closures, so that everything that changes a value is in the
 * hash. Values are numbers, strings and booleans (as 1 and 0 where a number is wanted); missing is NaN.
 */
export type Expression =
  | { readonly op: 'constant'; readonly value: number | string | boolean }
  | { readonly op: 'field'; readonly name: string } // of the event (or label) in hand
  | { readonly op: 'feature'; readonly name: string } // another feature of the same set
  | { readonly op: 'output'; readonly name: string } // of the model
  | { readonly op: 'threshold'; readonly name: string } // named, changed at run time through the control topic
  | { readonly op: 'kpi'; readonly name: string } // business figure of the same answer
  | { readonly op: 'answer'; readonly name: AnswerName } // what the answer says of itself
  | { readonly op: Unary; readonly of: Expression }
  | { readonly op: Binary; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'if'; readonly test: Expression; readonly yes: Expression; readonly no: Expression };

export const ANSWER_NAMES = ['decision', 'route', 'review', 'fallback', 'runId', 'late'] as const;
/** As in the prediction; `fallback` is missing where the model in force answered. */
export type AnswerName = (typeof ANSWER_NAMES)[number];

/** `hour` 0-23, `dayOfWeek` 1 (Monday) - 7 (Sunday), both of an event time in the pipeline's time zone. */
export type Unary = 'not' | 'negate' | 'abs' | 'log1p' | 'sqrt' | 'hour' | 'dayOfWeek' | 'isMissing';
export type Binary =
  | 'add' | 'subtract' | 'multiply' | 'divide' | 'min' | 'max'
  | 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'and' | 'or'; // prettier-ignore

/** A constant, or an expression: what the builders accept. */
export type Operand = Expression | number | string | boolean;

const expr = (x: Operand): Expression => (typeof x === 'object' ? x : { op: 'constant', value: x });
const unary =
  (op: Unary) =>
  (of: Operand): Expression => ({ op, of: expr(of) });
const binary =
  (op: Binary) =>
  (left: Operand, right: Operand): Expression => ({ op, left: expr(left), right: expr(right) });

export const constant = (value: number | string | boolean): Expression => ({ op: 'constant', value });
export const field = (name: string): Expression => ({ op: 'field', name });
export const feature = (name: string): Expression => ({ op: 'feature', name });
export const output = (name: string): Expression => ({ op: 'output', name });
export const threshold = (name: string): Expression => ({ op: 'threshold', name });
export const kpi = (name: string): Expression => ({ op: 'kpi', name });
export const answer = (name: AnswerName): Expression => ({ op: 'answer', name });
export const not = unary('not');
export const negate = unary('negate');
export const abs = unary('abs');
export const log1p = unary('log1p');
export const sqrt = unary('sqrt');
export const hour = unary('hour');
export const dayOfWeek = unary('dayOfWeek');
export const isMissing = unary('isMissing');
export const add = binary('add');
export const subtract = binary('subtract');
export const multiply = binary('multiply');
export const divide = binary('divide');
export const min = binary('min');
export const max = binary('max');
export const eq = binary('eq');
export const ne = binary('ne');
export const lt = binary('lt');
export const le = binary('le');
export const gt = binary('gt');
export const ge = binary('ge');
export const and = binary('and');
export const or = binary('or');
export const when = (test: Operand, yes: Operand, no: Operand): Expression => ({
  op: 'if',
  test: expr(test),
  yes: expr(yes),
  no: expr(no),
});
