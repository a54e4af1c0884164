import type { Expression } from './expression.ts';
import type { FeatureDefinition } from './pipeline.ts';

/** An expression as its builders are written: `ge(dayOfWeek(txAt), 6)`. Names of fields stand as they are. */
export const expressionInWords = (e: Expression): string => {
  if (e.op === 'constant') return JSON.stringify(e.value);
  if (e.op === 'field') return e.name;
  if ('name' in e) return `${e.op}(${e.name})`;
  if (e.op === 'if') return `when(${[e.test, e.yes, e.no].map(expressionInWords).join(', ')})`;
  if ('left' in e) return `${e.op}(${expressionInWords(e.left)}, ${expressionInWords(e.right)})`;
  return `${e.op}(${expressionInWords(e.of)})`;
};

/** A feature in one line: `mean of amount over transactions, window 7d`. */
export const featureInWords = (definition: FeatureDefinition): string => {
  if ('expression' in definition) return expressionInWords(definition.expression);
  const { kind, of, value, where, window, delay, scale, empty } = definition.aggregate;
  return [
    `${kind}${value === undefined ? '' : ` of ${expressionInWords(value)}`} over ${of}`,
    ...(kind === 'inForce' ? [] : [`window ${window}`]),
    ...(delay === '0ms' ? [] : [`delay ${delay}`]),
    ...(where === undefined ? [] : [`where ${expressionInWords(where)}`]),
    ...(scale === 0 ? [] : [`${scale} decimals`]),
    `empty ${empty}`,
  ].join(', ');
};
