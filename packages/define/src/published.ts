import { canonicalJson, ENGINE_VERSIONS, hashFeatureSet, hashView, streamsOfSet } from './hash.ts';
import type { Pipeline } from './pipeline.ts';

/** A view or a set as it is published: what it says in its words, what it is in its content. */
export interface Publication {
  readonly pipeline: string;
  readonly kind: 'view' | 'set';
  /** Of a set: the pipeline's. */
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly owner: string;
  readonly description: string;
  /** Entity key field; empty for views without state, of a set the pipeline's entity. */
  readonly entity: string;
  /** Everything that changes a value, as canonical JSON. */
  readonly content: string;
}

/** The set of a pipeline and each of its views, views first. */
export const publicationsOf = (pipeline: Pipeline): readonly Publication[] => {
  const { features, scores, timeZone, entity, name, description } = pipeline;
  const views = features.views.map((view): Publication => ({
    pipeline: name,
    kind: 'view',
    name: view.name,
    version: view.version,
    hash: hashView(view),
    owner: view.owner ?? '',
    description: view.description ?? '',
    entity: view.key ?? '',
    content: canonicalJson({
      key: view.key,
      order: Object.keys(view.features),
      features: Object.fromEntries(
        Object.entries(view.features).map(([feature, definition]) => [
          feature,
          {
            ...definition,
            engine: ENGINE_VERSIONS['aggregate' in definition ? definition.aggregate.kind : 'expression'],
          },
        ]),
      ),
    }),
  }));
  const set: Publication = {
    pipeline: name,
    kind: 'set',
    name,
    version: features.version,
    hash: hashFeatureSet(pipeline),
    owner: [...new Set(features.views.flatMap(view => view.owner ?? []))].join(', '),
    description: description ?? '',
    entity,
    content: canonicalJson({
      inputs: features.inputs,
      order: Object.keys(features.inputs),
      views: features.views.map(view => `${view.name}@${view.version} ${hashView(view)}`),
      events: streamsOfSet(pipeline),
      scores,
      timeZone,
      engine: ENGINE_VERSIONS.expression,
    }),
  };
  return [...views, set];
};

/** One place where two contents differ. `undefined`: it is not there. */
export interface Difference {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const text = (value: unknown): string | undefined =>
  value === undefined ? undefined : JSON.stringify(value);

/** Where two contents of publications differ, in the order of their paths. */
export const contentDifferences = (before: string, after: string): readonly Difference[] => {
  const found: Difference[] = [];
  const walk = (path: string, a: unknown, b: unknown): void => {
    if (canonicalJson(a ?? null) === canonicalJson(b ?? null)) return;
    if (!isObject(a) || !isObject(b)) {
      found.push({ path, before: text(a), after: text(b) });
      return;
    }
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted();
    for (const name of names) walk(path === '' ? name : `${path}.${name}`, a[name], b[name]);
  };
  walk('', JSON.parse(before) as unknown, JSON.parse(after) as unknown);
  return found;
};
