import type { AnswerName, Binary, Expression, Unary } from './expression.ts';
import type { Named } from './names.ts';
import { timeZoneOffset } from './zone.ts';

export type Value = number | string | boolean;
export type Evaluate<Scope> = (scope: Scope) => Value;

/**
 * Where names lead. Each function is asked once for each name while an expression is compiled, and gives what reads it
 * from a scope; undefined means that the name is not known here.
 */
export interface Environment<Scope> {
  readonly timeZone: string;
  field?(name: string): ((scope: Scope) => unknown) | undefined;
  feature?(name: string): ((scope: Scope) => unknown) | undefined;
  output?(name: string): ((scope: Scope) => unknown) | undefined;
  threshold?(name: string): ((scope: Scope) => unknown) | undefined;
  kpi?(name: string): ((scope: Scope) => unknown) | undefined;
  answer?(name: AnswerName): ((scope: Scope) => unknown) | undefined;
}

/** Missing is NaN; booleans are 1 and 0; text is not a number. */
const toNumber = (value: Value): number => (typeof value === 'string' ? Number.NaN : Number(value));
/** Missing does not hold, 0 and the empty text neither. */
export const holds = (value: Value): boolean =>
  typeof value === 'number' ? value !== 0 && !Number.isNaN(value) : value !== '' && value !== false;

const missing = (a: Value): boolean => typeof a === 'number' && Number.isNaN(a);

const toValue = (raw: unknown): Value =>
  typeof raw === 'number' || typeof raw === 'string' || typeof raw === 'boolean' ? raw : Number.NaN;

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const modulo = (a: number, b: number): number => ((a % b) + b) % b;
const hourOf = (localMs: number): number => modulo(Math.floor(localMs / HOUR_MS), 24);
/** The epoch began on a Thursday, the fourth day. */
const dayOf = (localMs: number): number => modulo(Math.floor(localMs / DAY_MS) + 3, 7) + 1;

const UNARY: Readonly<Record<Unary, (x: Value, offset: (ms: number) => number) => Value>> = {
  not: x => !holds(x),
  negate: x => -toNumber(x),
  abs: x => Math.abs(toNumber(x)),
  log1p: x => Math.log1p(toNumber(x)),
  sqrt: x => Math.sqrt(toNumber(x)),
  isMissing: missing,
  hour: (x, offset) => hourOf(toNumber(x) + offset(toNumber(x))),
  dayOfWeek: (x, offset) => dayOf(toNumber(x) + offset(toNumber(x))),
};

/** Text is compared with text; else both sides are numbers, and a comparison with missing does not hold. */
const same = (a: Value, b: Value): boolean =>
  typeof a === 'string' || typeof b === 'string' ? a === b : Number(a) === Number(b);

const BINARY: Readonly<Record<Binary, (a: Value, b: Value) => Value>> = {
  add: (a, b) => toNumber(a) + toNumber(b),
  subtract: (a, b) => toNumber(a) - toNumber(b),
  multiply: (a, b) => toNumber(a) * toNumber(b),
  divide: (a, b) => (toNumber(b) === 0 ? Number.NaN : toNumber(a) / toNumber(b)),
  min: (a, b) => Math.min(toNumber(a), toNumber(b)),
  max: (a, b) => Math.max(toNumber(a), toNumber(b)),
  eq: same,
  ne: (a, b) => !missing(a) && !missing(b) && !same(a, b),
  lt: (a, b) => toNumber(a) < toNumber(b),
  le: (a, b) => toNumber(a) <= toNumber(b),
  gt: (a, b) => toNumber(a) > toNumber(b),
  ge: (a, b) => toNumber(a) >= toNumber(b),
  and: (a, b) => holds(a) && holds(b),
  or: (a, b) => holds(a) || holds(b),
};

export const UNARY_OPERATORS: ReadonlySet<unknown> = new Set(Object.keys(UNARY));
export const BINARY_OPERATORS: ReadonlySet<unknown> = new Set(Object.keys(BINARY));

const reader = <Scope>(env: Environment<Scope>, what: Named, name: string): Evaluate<Scope> => {
  const read = env[what]?.(name as AnswerName);
  if (read === undefined) throw new RangeError(`${what}('${name}') is not known here`);
  return scope => toValue(read(scope));
};

/**
 * Turns an expression into a function. Division by zero is missing, and so is every figure that rests on something
 * missing; a condition on something missing does not hold. @throws RangeError for a name the environment does not know
 */
export const compileExpression = <Scope>(
  expression: Expression,
  env: Environment<Scope>,
): Evaluate<Scope> => {
  switch (expression.op) {
    case 'constant': {
      const { value } = expression;
      return () => value;
    }
    case 'field':
    case 'feature':
    case 'output':
    case 'threshold':
    case 'kpi':
    case 'answer':
      return reader(env, expression.op, expression.name);
    case 'if': {
      const test = compileExpression(expression.test, env);
      const yes = compileExpression(expression.yes, env);
      const no = compileExpression(expression.no, env);
      return scope => (holds(test(scope)) ? yes(scope) : no(scope));
    }
    default:
      break;
  }
  if ('of' in expression) {
    const apply = UNARY[expression.op];
    const offset = timeZoneOffset(env.timeZone);
    const of = compileExpression(expression.of, env);
    return scope => apply(of(scope), offset);
  }
  const apply = BINARY[expression.op];
  const left = compileExpression(expression.left, env);
  const right = compileExpression(expression.right, env);
  return scope => apply(left(scope), right(scope));
};

/** As `compileExpression`, for figures: true is 1, false is 0, text is missing. */
export const compileNumber = <Scope>(
  expression: Expression,
  env: Environment<Scope>,
): ((scope: Scope) => number) => {
  const evaluate = compileExpression(expression, env);
  return scope => toNumber(evaluate(scope));
};

/** As `compileExpression`, for text: everything else is missing, and so is text of more characters. */
export const compileText = <Scope>(
  expression: Expression,
  env: Environment<Scope>,
  charactersMax: number,
): ((scope: Scope) => string | undefined) => {
  const evaluate = compileExpression(expression, env);
  return scope => {
    const value = evaluate(scope);
    return typeof value === 'string' && value.length <= charactersMax ? value : undefined;
  };
};

/** As `compileExpression`, for conditions. */
export const compileCondition = <Scope>(
  expression: Expression,
  env: Environment<Scope>,
): ((scope: Scope) => boolean) => {
  const evaluate = compileExpression(expression, env);
  return scope => holds(evaluate(scope));
};
