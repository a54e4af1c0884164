import { namesIn } from './names.ts';
import type { Expression } from './expression.ts';
import type { Aggregate, FeatureDefinition, Pipeline } from './pipeline.ts';

const aggregateSources = (pipeline: Pipeline, a: Aggregate, key: string | undefined): readonly string[] => {
  const { time, knownAt } = pipeline.events[a.of]!;
  const read = [a.value, a.where].flatMap(e => (e === undefined ? [] : [...namesIn(e, 'field')]));
  return [key, time, knownAt, ...read].flatMap(name => (name === undefined ? [] : [`${a.of}.${name}`]));
};

/**
 * For every value of a pipeline's vectors, those of reference tables with them, the fields of its streams that it is computed from, `stream.field`, sorted:
 * what is aggregated and what decides which events are. A feature over other features has theirs.
 */
export const sourceFields = (pipeline: Pipeline): ReadonlyMap<string, readonly string[]> => {
  const definitions = new Map<
    string,
    { readonly definition: FeatureDefinition; readonly key: string | undefined }
  >();
  for (const [name, expression] of Object.entries(pipeline.features.inputs))
    definitions.set(name, { definition: { expression }, key: undefined });
  for (const view of pipeline.features.views)
    for (const [name, definition] of Object.entries(view.features))
      definitions.set(name, { definition, key: view.key });
  for (const [name, definition] of Object.entries(pipeline.reference)) {
    const table = 'aggregate' in definition ? pipeline.events[definition.aggregate.of] : undefined;
    definitions.set(name, { definition, key: table?.keys[0] });
  }
  const expressionSources = (e: Expression): readonly string[] => [
    ...[...namesIn(e, 'field')].map(name => `${pipeline.scores}.${name}`),
    ...[...namesIn(e, 'feature')].flatMap(sourcesOf),
  ];
  const sourcesOf = (name: string): readonly string[] => {
    const found = definitions.get(name);
    if (found === undefined) return [];
    return 'aggregate' in found.definition
      ? aggregateSources(pipeline, found.definition.aggregate, found.key)
      : expressionSources(found.definition.expression);
  };
  return new Map([...definitions.keys()].map(name => [name, [...new Set(sourcesOf(name))].toSorted()]));
};
