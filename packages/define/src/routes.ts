import { BINARY_OPERATORS, UNARY_OPERATORS } from './evaluate.ts';
import type { Expression } from './expression.ts';
import { checkExpression, NAMED, type Names, type Report } from './names.ts';
import { ENGINES, type Pipeline, type Route } from './pipeline.ts';

const HYPHENED = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
export const ROUTE_NAME_CHARACTERS_MAX = 64;
export const ROUTES_MAX = 100;
/** A rule from outside may be no deeper than this. */
const DEPTH_MAX = 32;
const NAMES: ReadonlySet<unknown> = new Set(NAMED);
const RULE_PARTS: ReadonlySet<string> = new Set(['name', 'to', 'when', 'review', 'engine']);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether data from outside is an expression. */
export const isExpression = (value: unknown, depth = 0): value is Expression => {
  if (!isObject(value) || depth > DEPTH_MAX) return false;
  const { op } = value;
  const all = (...parts: readonly unknown[]): boolean => parts.every(part => isExpression(part, depth + 1));
  if (op === 'constant') return ['number', 'string', 'boolean'].includes(typeof value['value']);
  if (NAMES.has(op)) return typeof value['name'] === 'string';
  if (op === 'if') return all(value['test'], value['yes'], value['no']);
  if (UNARY_OPERATORS.has(op)) return all(value['of']);
  return BINARY_OPERATORS.has(op) && all(value['left'], value['right']);
};

/** Whether data from outside has the shape of rules; what they name, engines too, looks `checkRoutes` at. */
export const isRoutes = (value: unknown): value is readonly Route[] =>
  Array.isArray(value) &&
  value.every(
    (rule: unknown) =>
      isObject(rule) &&
      typeof rule['name'] === 'string' &&
      (rule['to'] === 'stream' || rule['to'] === 'night') &&
      (rule['review'] === undefined || typeof rule['review'] === 'boolean') &&
      (rule['engine'] === undefined || typeof rule['engine'] === 'string') &&
      (rule['when'] === undefined || isExpression(rule['when'])),
  );

/** Reports what is wrong with rules. @param names what their conditions may read */
export const checkRoutes = (routes: readonly Route[], names: Names, report: Report): void => {
  if (routes.length > ROUTES_MAX)
    report('routes', `there are ${routes.length} rules, more than ${ROUTES_MAX}`);
  routes.forEach((route, i) => {
    const { name, when, engine } = route;
    const place = `routes.${name}`;
    // Passed over in silence, a rule would do less than it says: `lane: 'gpu'`.
    for (const part of Object.keys(route))
      if (!RULE_PARTS.has(part))
        report(place, `a rule can say nothing about '${part}'; there are ${[...RULE_PARTS].join(', ')}`);
    if (!HYPHENED.test(name) || name.length > ROUTE_NAME_CHARACTERS_MAX)
      report(
        place,
        `the name is not lower case with hyphens, of ${ROUTE_NAME_CHARACTERS_MAX} characters at most`,
      );
    if (routes.findIndex(one => one.name === name) !== i) report(place, 'the name is taken');
    if (engine !== undefined && !ENGINES.includes(engine))
      report(place, `engine '${engine}' is unknown; there are ${ENGINES.join(', ')}`);
    if (when !== undefined) checkExpression(when, names, place, report);
    if ((when === undefined) !== (i === routes.length - 1))
      report(place, 'the last rule has no condition, every other has one');
  });
};

/** What conditions of a pipeline may read. @param fields of the scored stream's schema, where they are known */
export const routeNames = (
  { features, reference, thresholds }: Pipeline,
  fields?: ReadonlySet<string>,
): Names => ({
  fields,
  features: new Set([
    ...Object.keys(features.inputs),
    ...features.views.flatMap(view => Object.keys(view.features)),
    ...Object.keys(reference),
  ]),
  thresholds: new Set(Object.keys(thresholds)),
});

/** Every mistake of rules for a pipeline; empty where they can be in force. @param fields as for `routeNames` */
export const routeMistakes = (
  pipeline: Pipeline,
  routes: readonly Route[],
  fields?: ReadonlySet<string>,
): readonly string[] => {
  const mistakes: string[] = [];
  checkRoutes(routes, routeNames(pipeline, fields), (place, mistake) =>
    mistakes.push(`${place}: ${mistake}`),
  );
  return mistakes;
};
