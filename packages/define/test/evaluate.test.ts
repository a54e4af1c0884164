import { describe, expect, test } from '@jest/globals';
import {
  add, and, compileCondition, compileExpression, compileNumber, dayOfWeek, divide, eq, type Expression, feature, field, ge, hour, isMissing, lt,
  max, ne, not, or, output, threshold, when,
} from '../src/index.ts'; // prettier-ignore

interface Scope {
  readonly fields: Readonly<Record<string, unknown>>;
}
const env = (timeZone = 'UTC') => ({ timeZone, field: (name: string) => (s: Scope) => s.fields[name] });
const evaluate = (e: Expression, fields: Readonly<Record<string, unknown>> = {}, timeZone?: string) =>
  compileExpression(e, env(timeZone))({ fields });

describe('compileExpression', () => {
  test('computes with fields and constants', () => {
    expect(evaluate(add(field('a'), max(2, field('b'))), { a: 1, b: 5 })).toBe(6);
    expect(evaluate(when(ge(field('a'), 10), 'big', 'small'), { a: 10 })).toBe('big');
    expect(evaluate(eq(field('kind'), 'card'), { kind: 'card' })).toBe(true);
    expect(evaluate(and(field('yes'), not(field('no'))), { yes: true, no: false })).toBe(true);
  });

  test('what rests on something missing is missing, and a condition on it does not hold', () => {
    expect(evaluate(add(field('absent'), 1))).toBeNaN();
    expect(evaluate(divide(1, 0))).toBeNaN();
    expect(evaluate(isMissing(field('nothing')), { nothing: null })).toBe(true);
    expect(evaluate(isMissing(field('text')), { text: '' })).toBe(false);
    expect(evaluate(lt(field('absent'), 1))).toBe(false);
    expect(evaluate(ne(field('absent'), 1))).toBe(false);
    expect(evaluate(or(field('absent'), false))).toBe(false);
  });

  test('a figure takes true as 1 and text as missing', () => {
    expect(compileNumber(field('x'), env())({ fields: { x: true } })).toBe(1);
    expect(compileNumber(field('x'), env())({ fields: { x: '12' } })).toBeNaN();
    expect(compileCondition(field('x'), env())({ fields: { x: 0 } })).toBe(false);
  });

  test('hour and day of the week, in UTC and elsewhere, before 1970 too', () => {
    const at = (text: string) => ({ t: Date.parse(text) });
    expect(evaluate(hour(field('t')), at('2018-04-01T06:59:59.999Z'))).toBe(6);
    expect(evaluate(hour(field('t')), at('2018-04-01T07:00:00Z'))).toBe(7);
    expect(evaluate(dayOfWeek(field('t')), at('2018-04-01T00:00:00Z'))).toBe(7); // a Sunday
    expect(evaluate(dayOfWeek(field('t')), at('2018-04-02T00:00:00Z'))).toBe(1);
    expect(evaluate(dayOfWeek(field('t')), at('1969-12-31T23:00:00Z'))).toBe(3); // a Wednesday
    expect(evaluate(hour(field('t')), at('1969-12-31T23:00:00Z'))).toBe(23);
    // Brussels is two hours ahead in summer, one in winter; Kathmandu five and three quarters.
    expect(evaluate(hour(field('t')), at('2018-07-01T22:30:00Z'), 'Europe/Brussels')).toBe(0);
    expect(evaluate(dayOfWeek(field('t')), at('2018-07-01T22:30:00Z'), 'Europe/Brussels')).toBe(1);
    expect(evaluate(hour(field('t')), at('2018-01-01T22:30:00Z'), 'Europe/Brussels')).toBe(23);
    expect(evaluate(hour(field('t')), at('2018-01-01T18:15:00Z'), 'Asia/Kathmandu')).toBe(0);
    expect(evaluate(hour(field('t')), {})).toBeNaN();
  });

  test('refuses names that the environment does not know', () => {
    expect(() => evaluate(output('score'))).toThrow("output('score') is not known here");
    expect(() => evaluate(threshold('block'))).toThrow(RangeError);
    expect(() => evaluate(feature('f'))).toThrow(RangeError);
  });
});
