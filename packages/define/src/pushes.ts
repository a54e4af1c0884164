import { ANSWER_NAMES } from './expression.ts';
import { kindOf, MIXED } from './kinds.ts';
import { checkExpression, type Names, type Report } from './names.ts';
import type { Pipeline } from './pipeline.ts';

const HYPHENED = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]*$/;
/** Each answer is held against each of them. */
const PUSHES_MAX = 16;
const FIELDS_MAX = 64;
/** Longer text is left out of a pushed record: it must not outgrow what a broker takes. */
export const PUSH_TEXT_CHARACTERS_MAX = 1_024;
/** What the topics of every pipeline are called, or will be. */
const TAKEN: ReadonlySet<string> = new Set([
  'features', 'feature', 'inference', 'predictions', 'predictions-shadow', 'deferred', 'explanations', 'reviews', 'decisions',
]); // prettier-ignore

/** @param names what decisions may read */
export const checkPushes = ({ pushes, events }: Pipeline, names: Names, report: Report): void => {
  const known = { ...names, answers: new Set(ANSWER_NAMES) };
  if (Object.keys(pushes).length > PUSHES_MAX)
    report('pushes', `there are ${Object.keys(pushes).length}, more than ${PUSHES_MAX}`);
  for (const [name, { when, key, fields }] of Object.entries(pushes)) {
    const place = `pushes.${name}`;
    if (!HYPHENED.test(name)) report(place, 'the name is not lower case with hyphens');
    if (TAKEN.has(name) || Object.hasOwn(events, name))
      report(place, 'a topic of the pipeline has this name');
    if (when !== undefined) checkExpression(when, known, `${place}.when`, report);
    if (key !== undefined) checkExpression(key, known, `${place}.key`, report);
    const count = Object.keys(fields).length;
    if (count === 0 || count > FIELDS_MAX) report(place, `it has ${count} fields, not 1 to ${FIELDS_MAX}`);
    for (const [field, e] of Object.entries(fields)) {
      if (!IDENTIFIER.test(field)) report(`${place}.fields`, `'${field}' is not a plain identifier`);
      checkExpression(e, known, `${place}.fields.${field}`, report);
      if (kindOf(e, {}) === 'mixed') report(`${place}.fields.${field}`, MIXED);
    }
  }
};
