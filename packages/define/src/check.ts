import { checkDelivery } from './delivery.ts';
import { parseDuration } from './duration.ts';
import { checkFreshness } from './freshness.ts';
import type { Aggregate, EventStream, FeatureDefinition, FeatureView, Pipeline } from './pipeline.ts';
import { checkExpression, type Names, namesIn, type Report } from './names.ts';
import { kindOf, MIXED } from './kinds.ts';
import { checkNight } from './night.ts';
import { checkPushes } from './pushes.ts';
import { checkRejects } from './rejects.ts';
import { checkRoutes, routeNames } from './routes.ts';
import { isTimeZone } from './zone.ts';

/** Field names of a schema (`fraud/transaction`), or undefined where there is no such schema. */
export type FieldsOf = (schema: string) => ReadonlySet<string> | undefined;

const HYPHENED = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** What Avro and the tables of the sink accept. */
const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]*$/;
const NEEDS_VALUE = new Set(['sum', 'mean', 'min', 'max', 'stddev', 'distinct', 'last', 'inForce']);
const SCALE_MAX = 9;

const checkAggregate = (
  a: Aggregate,
  view: FeatureView,
  pipeline: Pipeline,
  fieldsOf: FieldsOf | undefined,
  place: string,
  report: Report,
): void => {
  const stream = pipeline.events[a.of];
  if (stream === undefined) {
    report(place, `stream '${a.of}' is unknown; there are ${Object.keys(pipeline.events).join(', ')}`);
  } else {
    if (view.key !== undefined && !stream.keys.includes(view.key))
      report(place, `stream '${a.of}' does not carry the view's key '${view.key}'`);
    if ((stream.table === true) !== (a.kind === 'inForce'))
      report(
        place,
        stream.table === true
          ? `'${a.of}' is a table: only inForce reads it`
          : `inForce reads tables, and '${a.of}' is none`,
      );
    const names: Names = { fields: fieldsOf?.(stream.schema) };
    if (a.value !== undefined) checkExpression(a.value, names, `${place}.value`, report);
    if (a.where !== undefined) checkExpression(a.where, names, `${place}.where`, report);
  }
  if (view.key === undefined) report(place, 'an aggregate needs a view with a key');
  if (!((parseDuration(a.window) ?? 0) > 0)) report(place, `window '${a.window}' is no duration above zero`);
  if (parseDuration(a.delay) === undefined) report(place, `delay '${a.delay}' is no duration`);
  if (NEEDS_VALUE.has(a.kind) && a.value === undefined) report(place, `${a.kind} needs a value`);
  if (a.kind === 'share' && a.where === undefined) report(place, 'share needs a condition in where');
  if (!Number.isInteger(a.scale) || a.scale < 0 || a.scale > SCALE_MAX)
    report(place, `scale ${a.scale} is not a whole number of digits from 0 to ${SCALE_MAX}`);
  if (a.empty !== 'missing' && !Number.isFinite(a.empty))
    report(place, 'empty is neither a number nor missing');
};

const checkTable = (
  { events, scores }: Pipeline,
  stream: EventStream,
  place: string,
  report: Report,
): void => {
  const keys = events[scores]?.keys ?? [];
  if (stream === events[scores]) report('scores', `'${scores}' is a table; events are scored`);
  if (stream.of !== undefined || stream.knownAt !== undefined)
    report(place, 'a table labels nothing: it has neither of nor knownAt');
  if (stream.keys.length !== 1 || !keys.includes(stream.keys[0]!))
    report(place, `a table has one key, one of the scored stream's: ${keys.join(', ')}`);
};

const checkStreams = (pipeline: Pipeline, fieldsOf: FieldsOf | undefined, report: Report): void => {
  const { events, entity, scores } = pipeline;
  if (events[scores] === undefined)
    report('scores', `stream '${scores}' is unknown; there are ${Object.keys(events).join(', ')}`);
  else if (events[scores].of !== undefined) report('scores', `'${scores}' holds labels; events are scored`);
  for (const [name, stream] of Object.entries(events)) {
    const place = `events.${name}`;
    if (!HYPHENED.test(name)) report(place, 'the name is not lower case with hyphens');
    if (stream.of !== undefined && events[stream.of] === undefined)
      report(place, `it labels the stream '${stream.of}', which is unknown`);
    if (new Set(stream.keys).size !== stream.keys.length) report(place, 'a key is named twice');
    if (stream.table === true) checkTable(pipeline, stream, place, report);
    else if (!stream.keys.includes(entity))
      report(place, `the pipeline's entity '${entity}' is not among its keys`);
    const fields = fieldsOf?.(stream.schema);
    if (fieldsOf !== undefined && fields === undefined)
      report(place, `schema '${stream.schema}' does not exist`);
    for (const field of [stream.time, stream.knownAt, ...stream.keys])
      if (field !== undefined && fields?.has(field) === false)
        report(place, `schema '${stream.schema}' has no field '${field}'`);
  }
};

const checkViews = (pipeline: Pipeline, fieldsOf: FieldsOf | undefined, report: Report): void => {
  const { features, events, scores } = pipeline;
  const scored = events[scores];
  const fields = scored && fieldsOf?.(scored.schema);
  const seen = new Set<string>();
  const once = (name: string, place: string): void => {
    if (!IDENTIFIER.test(name)) report(place, `'${name}' is not a plain identifier`);
    if (seen.has(name)) report(place, `the name '${name}' is taken`);
    seen.add(name);
  };
  for (const [name, input] of Object.entries(features.inputs)) {
    once(name, 'features.inputs');
    checkExpression(input, { fields }, `features.inputs.${name}`, report);
  }
  for (const view of features.views)
    for (const name of Object.keys(view.features)) once(name, `view ${view.name}`);
  const viewNames = features.views.map(v => v.name);
  for (const view of features.views) {
    const place = `view ${view.name}`;
    if (!HYPHENED.test(view.name)) report(place, 'the name is not lower case with hyphens');
    if (viewNames.indexOf(view.name) !== viewNames.lastIndexOf(view.name)) report(place, 'the name is taken');
    if (!Number.isInteger(view.version) || view.version < 1) report(place, 'the version is not 1 or more');
    if (view.key !== undefined && scored !== undefined && !scored.keys.includes(view.key))
      report(place, `key '${view.key}' is no key of the scored stream; there are ${scored.keys.join(', ')}`);
    checkFreshness(pipeline, view, report);
    for (const [name, definition] of Object.entries(view.features)) {
      const at = `${place}.${name}`;
      if ('aggregate' in definition)
        checkAggregate(definition.aggregate, view, pipeline, fieldsOf, at, report);
      else checkExpression(definition.expression, { fields, features: seen }, at, report);
    }
  }
  for (const name of cyclicFeatures(pipeline)) report(`feature ${name}`, 'it rests on itself');
  for (const [name, definition] of Object.entries(pipeline.reference)) {
    once(name, 'reference');
    if (fields?.has(name) === true) report(`reference.${name}`, 'a field of the scored event has this name');
    checkReference(pipeline, definition, fieldsOf, `reference.${name}`, report);
  }
};

const checkReference = (
  pipeline: Pipeline,
  definition: FeatureDefinition,
  fieldsOf: FieldsOf | undefined,
  place: string,
  report: Report,
): void => {
  if (!('aggregate' in definition) || definition.aggregate.kind !== 'inForce')
    return report(place, 'it is not made with inForce');
  const { aggregate } = definition;
  const key = pipeline.events[aggregate.of]?.keys[0];
  const view = { name: 'reference', version: 1, features: {}, ...(key !== undefined && { key }) };
  checkAggregate(aggregate, view, pipeline, fieldsOf, place, report);
};

/** Features whose expressions lead back to themselves. */
const cyclicFeatures = (pipeline: Pipeline): readonly string[] => {
  const rests = new Map<string, ReadonlySet<string>>();
  for (const view of pipeline.features.views)
    for (const [name, d] of Object.entries(view.features))
      if ('expression' in d) rests.set(name, namesIn(d.expression, 'feature'));
  const reaches = (from: string, to: string, seen: Set<string>): boolean => {
    for (const next of rests.get(from) ?? []) {
      if (next === to) return true;
      if (!seen.has(next)) {
        seen.add(next);
        if (reaches(next, to, seen)) return true;
      }
    }
    return false;
  };
  return [...rests.keys()].filter(name => reaches(name, name, new Set()));
};

const checkAnswers = (pipeline: Pipeline, fieldsOf: FieldsOf | undefined, report: Report): void => {
  const { model, decisions, kpis, events, scores } = pipeline;
  const scored = events[scores];
  const names: Names = {
    ...routeNames(pipeline, scored && fieldsOf?.(scored.schema)),
    outputs: new Set(model.outputs),
  };
  const answered = { ...names, kpis: new Set(Object.keys(kpis)) };
  if (model.outputs.length === 0) report('model', 'it has no output');
  for (const name of [...model.outputs, ...Object.keys(kpis)])
    if (!IDENTIFIER.test(name)) report('model', `'${name}' is not a plain identifier`);
  for (const fallback of model.fallback)
    if (typeof fallback !== 'string')
      for (const name of model.outputs)
        if (!(name in fallback.constant)) report('model.fallback', `the constant lacks the output '${name}'`);
  decisions.forEach(({ name, when }, i) => {
    const place = `decisions.${name}`;
    if (when !== undefined) checkExpression(when, answered, place, report);
    if ((when === undefined) !== (i === decisions.length - 1))
      report(place, 'the last decision has no condition, every other has one');
  });
  if (decisions.length === 0) report('decisions', 'there is none');
  for (const [name, e] of Object.entries(kpis)) {
    checkExpression(e, names, `kpis.${name}`, report);
    if (kindOf(e, {}) === 'mixed') report(`kpis.${name}`, MIXED);
  }
  checkPushes(pipeline, answered, report);
  // A rule is asked before there is a score.
  checkRoutes(pipeline.routes, routeNames(pipeline, names.fields), report);
};

/** Names of the values of a vector. */
const featuresOf = ({ features }: Pipeline): ReadonlySet<string> =>
  new Set([...Object.keys(features.inputs), ...features.views.flatMap(view => Object.keys(view.features))]);

const checkFairness = (pipeline: Pipeline, report: Report): void => {
  const { evaluation, thresholds } = pipeline;
  if (evaluation?.fairness === undefined) return;
  const { threshold, groups } = evaluation.fairness;
  const place = 'evaluation.fairness';
  if (thresholds[threshold] === undefined)
    report(
      `${place}.threshold`,
      `'${threshold}' is unknown; there are ${Object.keys(thresholds).join(', ')}`,
    );
  if (Object.keys(groups).length === 0) report(`${place}.groups`, 'there is none');
  for (const name of Object.keys(groups))
    if (!featuresOf(pipeline).has(name)) report(`${place}.groups`, `'${name}' is no feature`);
};

const checkEvaluation = (pipeline: Pipeline, fieldsOf: FieldsOf | undefined, report: Report): void => {
  const { evaluation, events, model, scores } = pipeline;
  if (evaluation === undefined) return;
  const labels = events[evaluation.labels];
  if (labels?.of !== scores)
    report('evaluation.labels', `'${evaluation.labels}' is no stream of labels of '${scores}'`);
  const fields = labels && fieldsOf?.(labels.schema);
  checkExpression(evaluation.truth, { fields }, 'evaluation.truth', report);
  if (!model.outputs.includes(evaluation.output))
    report('evaluation.output', `'${evaluation.output}' is unknown; there are ${model.outputs.join(', ')}`);
  checkFairness(pipeline, report);
};

/** Every version of the set has to stand with the rest as if it were the only one. */
const checkBeside = (
  pipeline: Pipeline,
  fieldsOf: FieldsOf | undefined,
  found: readonly string[],
): readonly string[] => {
  const versions = [pipeline.features, ...pipeline.beside].map(({ version }) => version);
  const twice = versions.find((version, i) => versions.indexOf(version) !== i);
  const mistakes = twice === undefined ? [] : [`beside: version ${twice} of the set is there twice`];
  if (pipeline.beside.length > 0 && pipeline.delivery.inference !== 'exactly_once')
    mistakes.push('beside: with several versions of the set, delivery.inference has to be exactly_once');
  for (const features of pipeline.beside)
    for (const mistake of checkPipeline({ ...pipeline, features, beside: [] }, fieldsOf))
      if (!found.includes(mistake)) mistakes.push(`beside, version ${features.version}: ${mistake}`);
  return mistakes;
};

/**
 * Every mistake of a definition at once, each with its place; empty when it can stand. With `fieldsOf` the names of
 * fields are checked too.
 */
export const checkPipeline = (pipeline: Pipeline, fieldsOf?: FieldsOf): readonly string[] => {
  const mistakes: string[] = [];
  const report: Report = (place, mistake) => mistakes.push(`${place}: ${mistake}`);
  if (!HYPHENED.test(pipeline.name)) report('name', 'it is not lower case with hyphens');
  if (!isTimeZone(pipeline.timeZone)) report('timeZone', `'${pipeline.timeZone}' is unknown`);
  if (!Number.isInteger(pipeline.partitions) || pipeline.partitions < 1)
    report('partitions', 'it is not 1 or more');
  if (!Number.isInteger(pipeline.features.version) || pipeline.features.version < 1)
    report('features.version', 'it is not 1 or more');
  checkDelivery(pipeline, report);
  checkStreams(pipeline, fieldsOf, report);
  checkViews(pipeline, fieldsOf, report);
  checkAnswers(pipeline, fieldsOf, report);
  checkRejects(pipeline, report);
  checkEvaluation(pipeline, fieldsOf, report);
  checkNight(pipeline, report);
  return [...mistakes, ...checkBeside(pipeline, fieldsOf, mistakes)];
};
