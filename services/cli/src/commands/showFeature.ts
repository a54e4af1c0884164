/** `millrace features show`: one view in every version that there is, and what is published of it. */
import type { FeaturePublication } from '@millrace/contracts';
import { everySet, featureInWords, type FeatureView, type Pipeline, sourceFields } from '@millrace/define';
import { publicationKey, readPublished, type Standing, standings } from '../features/published.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import type { World } from '../world/prepare.ts';
import { shortHash } from './features.ts';

/** A view in one version. */
interface Shown {
  readonly pipeline: string;
  readonly name: string;
  readonly version: number;
  readonly key: string | undefined;
  readonly owner: string;
  readonly description: string;
  readonly hash: string;
  /** Versions of the pipeline's feature set that have it. */
  readonly sets: readonly number[];
  /** Null where nobody could be asked. */
  readonly state: Standing['state'] | null;
  readonly published: Pick<FeaturePublication, 'at' | 'by' | 'why'> | null;
  readonly features: readonly {
    readonly feature: string;
    readonly is: string;
    readonly from: readonly string[];
  }[];
}

const featuresOf = (own: Pipeline, view: FeatureView): Shown['features'] => {
  const sources = sourceFields(own);
  return Object.entries(view.features).map(([feature, definition]) => ({
    feature,
    is: featureInWords(definition),
    from: sources.get(feature) ?? [],
  }));
};

/** Of one pipeline, the version of its own set first. */
const shownOf = (
  pipeline: Pipeline,
  name: string,
  published: ReadonlyMap<string, FeaturePublication> | undefined,
): readonly Shown[] => {
  const every = everySet(pipeline).flatMap(own =>
    own.features.views.filter(view => view.name === name).map(view => ({ own, view })),
  );
  const versions = new Map(every.map(one => [one.view.version, one] as const).toReversed());
  const known = standings([pipeline], published ?? new Map());
  return [...versions.values()].toReversed().map(({ own, view }): Shown => {
    const { here, published: record, state } = known.find(
      one => one.here.kind === 'view' && one.here.name === name && one.here.version === view.version,
    )!;
    return {
      pipeline: pipeline.name, name, version: view.version, key: view.key, owner: here.owner, description: here.description, hash: here.hash,
      sets: every.filter(one => one.view.version === view.version).map(one => one.own.features.version),
      state: published === undefined ? null : state,
      published: record === undefined ? null : { at: record.at, by: record.by, why: record.why },
      features: featuresOf(own, view),
    };
  });
}; // prettier-ignore

const WORDS: Readonly<Record<Standing['state'], string>> = {
  new: 'Not published.',
  published: 'Published as it is here',
  deprecated: 'Deprecated',
  changed: 'Published with other content (millrace features diff)',
};

const print = (io: Io, one: Shown): void => {
  const { pipeline, name, version, key, owner, description, hash, sets, state, published, features } = one;
  const by = key === undefined ? 'by the event alone' : `by ${key}`;
  io.out(`${name}@${version} of ${pipeline}, ${by}, owner ${owner === '' ? '-' : owner}`);
  io.out(`In version ${sets.join(', ')} of the set; hash ${shortHash(hash)}.`);
  const record =
    published && `, ${new Date(published.at).toISOString()}, by ${published.by}: ${published.why}`;
  if (state !== null) io.out(`${WORDS[state]}${record ?? ''}`);
  if (description !== '') io.out(description);
  const rows = features.map(({ feature, is, from }) => [feature, is, from.join(' ')]);
  for (const line of table(['FEATURE', 'IS', 'FROM'], rows)) io.out(line);
};

/** @param world undefined: what is published is left out */
export const showFeature = async (
  io: Io,
  world: World | undefined,
  pipelines: readonly Pipeline[],
  name: string,
  output: OutputForm,
): Promise<ExitCode> => {
  const published = world === undefined ? undefined : await readPublished(world);
  const shown = pipelines.flatMap(pipeline => shownOf(pipeline, name, published));
  if (shown.length === 0) {
    const names = pipelines.flatMap(everySet).flatMap(p => p.features.views.map(view => view.name));
    throw new UsageError(`there is no view '${name}'; there are ${[...new Set(names)].join(', ')}`);
  }
  if (output === 'json') {
    io.out(JSON.stringify(shown));
    return EXIT.done;
  }
  shown.forEach((one, i) => {
    if (i > 0) io.out('');
    print(io, one);
  });
  const here = new Set(shown.map(({ pipeline, version }) => publicationKey({ pipeline, kind: 'view', name, version })));
  const elsewhere = [...(published ?? [])].filter(([key, { kind, name: of }]) => kind === 'view' && of === name && !here.has(key));
  for (const [, { pipeline, version, hash, at, by, why }] of elsewhere)
    io.out(`\n${name}@${version} of ${pipeline} is not defined here any more; hash ${shortHash(hash)}; published ${new Date(at).toISOString()}, by ${by}: ${why}`);
  return EXIT.done;
}; // prettier-ignore
