/** The names that an expression reads, and whether they are known where it stands. */
import type { Expression } from './expression.ts';

export type Report = (place: string, mistake: string) => void;
export interface Names {
  readonly fields: ReadonlySet<string> | undefined; // undefined: not known here
  readonly features?: ReadonlySet<string>;
  readonly outputs?: ReadonlySet<string>;
  readonly thresholds?: ReadonlySet<string>;
  readonly kpis?: ReadonlySet<string>;
  readonly answers?: ReadonlySet<string>;
}

/** Operators that read something by its name. */
export const NAMED = ['field', 'feature', 'output', 'threshold', 'kpi', 'answer'] as const;
export type Named = (typeof NAMED)[number];

const children = (e: Expression): readonly Expression[] => {
  if ('left' in e) return [e.left, e.right];
  if ('test' in e) return [e.test, e.yes, e.no];
  return 'of' in e ? [e.of] : [];
};

/** Every name of one kind that an expression reads. */
export const namesIn = (e: Expression, op: Named): ReadonlySet<string> => {
  const found = new Set<string>();
  const walk = (x: Expression): void => {
    if (x.op === op && 'name' in x) found.add(x.name);
    for (const child of children(x)) walk(child);
  };
  walk(e);
  return found;
};

/** Reports every name in it that is unknown there. */
export const checkExpression = (e: Expression, names: Names, place: string, report: Report): void => {
  const scopes = [
    ['field', names.fields],
    ['feature', names.features ?? new Set<string>()],
    ['output', names.outputs ?? new Set<string>()],
    ['threshold', names.thresholds ?? new Set<string>()],
    ['kpi', names.kpis ?? new Set<string>()],
    ['answer', names.answers ?? new Set<string>()],
  ] as const;
  for (const [op, known] of scopes)
    for (const name of namesIn(e, op))
      if (known !== undefined && !known.has(name))
        report(
          place,
          known.size === 0
            ? `${op}('${name}') has no meaning here`
            : `${op}('${name}') is unknown; there are ${[...known].join(', ')}`,
        );
};
