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

/** What a function that is put together speaks of, by name. */
class Spoken<Scope> {
  readonly env: Environment<Scope>;
  readonly #known = new Map<string, unknown>();

  constructor(env: Environment<Scope>) {
    this.env = env;
  }

  /** The name of something that there may be several of. */
  one(what: unknown): string {
    return this.as(`one${this.#known.size}`, what);
  }

  as(name: string, what: unknown): string {
    this.#known.set(name, what);
    return name;
  }

  /** A function of the scope. */
  function(text: string): unknown {
    const names = [...this.#known.keys()];
    // Nothing of the expression's own words is in it: operators and numbers of what is handed in only.
    // oxlint-disable-next-line typescript/no-implied-eval
    const make = new Function(...names, `return scope => ${text};`) as (...of: unknown[]) => unknown;
    return make(...this.#known.values());
  }
}

const readerOf = <Scope>(spoken: Spoken<Scope>, what: Named, name: string): string => {
  const read = spoken.env[what]?.(name as AnswerName);
  if (read === undefined) throw new RangeError(`${what}('${name}') is not known here`);
  return `${spoken.as('toValue', toValue)}(${spoken.one(read)}(scope))`;
};

/** An expression in JavaScript. */
const textOf = <Scope>(expression: Expression, spoken: Spoken<Scope>): string => {
  switch (expression.op) {
    case 'constant':
      return spoken.one(expression.value);
    case 'field':
    case 'feature':
    case 'output':
    case 'threshold':
    case 'kpi':
    case 'answer':
      return readerOf(spoken, expression.op, expression.name);
    case 'if': {
      const [test, yes, no] = [expression.test, expression.yes, expression.no].map(one =>
        textOf(one, spoken),
      );
      return `(${spoken.as('holds', holds)}(${test}) ? ${yes} : ${no})`;
    }
    default:
      break;
  }
  const { op } = expression;
  if ('of' in expression) {
    const offset = spoken.as('offset', timeZoneOffset(spoken.env.timeZone));
    return `${spoken.as(`unary_${op}`, UNARY[expression.op])}(${textOf(expression.of, spoken)}, ${offset})`;
  }
  const [left, right] = [expression.left, expression.right].map(one => textOf(one, spoken));
  return `${spoken.as(`binary_${op}`, BINARY[expression.op])}(${left}, ${right})`;
};

/**
 * Turns an expression into a function of its own, so that V8 sees what it calls: put together of functions that call each
 * other, a decision and a figure took three times as long. Division by zero is missing, and so is every figure that rests on something
 * missing; a condition on something missing does not hold. @throws RangeError for a name the environment does not know
 */
export const compileExpression = <Scope>(
  expression: Expression,
  env: Environment<Scope>,
): Evaluate<Scope> => {
  const spoken = new Spoken(env);
  return spoken.function(textOf(expression, spoken)) as Evaluate<Scope>;
};

/** As `compileExpression`, for figures: true is 1, false is 0, text is missing. */
export const compileNumber = <Scope>(
  expression: Expression,
  env: Environment<Scope>,
): ((scope: Scope) => number) => {
  const spoken = new Spoken(env);
  const text = textOf(expression, spoken);
  return spoken.function(`${spoken.as('toNumber', toNumber)}(${text})`) as (scope: Scope) => number;
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
  const spoken = new Spoken(env);
  const text = textOf(expression, spoken);
  return spoken.function(`${spoken.as('holds', holds)}(${text})`) as (scope: Scope) => boolean;
};
