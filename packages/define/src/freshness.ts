/** Views whose age is told in each vector, and what a definition says of how old they may be. */
import { parseDuration } from './duration.ts';
import type { Report } from './names.ts';
import type { FeatureSet, FeatureView, Pipeline } from './pipeline.ts';

/** Streams that a view keeps something of. */
export const streamsOfView = ({ features }: FeatureView): ReadonlySet<string> =>
  new Set(Object.values(features).flatMap(d => ('aggregate' in d ? [d.aggregate.of] : [])));

/** Views that keep something, and so have an age. */
export const agedViews = ({ views }: FeatureSet): readonly FeatureView[] =>
  views.filter(view => view.key !== undefined && streamsOfView(view).size > 0);

/** Name of the field that has the age of a view in vectors. */
export const ageField = (view: string): string => view.replaceAll('-', '_');

const POLICIES: ReadonlySet<string> = new Set(['score', 'fallback', 'refuse']);

export const checkFreshness = (pipeline: Pipeline, view: FeatureView, report: Report): void => {
  const { freshness } = view;
  if (freshness === undefined) return;
  const place = `view ${view.name}.freshness`;
  const { staleAfter, entityStaleAfter, policy } = freshness;
  const streams = streamsOfView(view);
  if (view.key === undefined || streams.size === 0)
    report(place, 'the view keeps nothing that could grow old');
  if (staleAfter === undefined && entityStaleAfter === undefined)
    report(place, 'it has neither staleAfter nor entityStaleAfter');
  for (const [name, bound] of Object.entries({ staleAfter, entityStaleAfter }))
    if (bound !== undefined && !((parseDuration(bound) ?? 0) >= 1000))
      report(`${place}.${name}`, `'${bound}' is no duration of a second or more`);
  if (staleAfter !== undefined && [...streams].every(stream => stream === pipeline.scores))
    report(
      `${place}.staleAfter`,
      `the view reads '${pipeline.scores}' alone, which is never behind its own events`,
    );
  if (!POLICIES.has(policy)) report(`${place}.policy`, `'${policy}' is none of ${[...POLICIES].join(', ')}`);
  if (policy === 'fallback' && !pipeline.model.fallback.some(one => typeof one !== 'string'))
    report(
      `${place}.policy`,
      'model.fallback has no constant, and a smaller model would read the same stale view',
    );
};
