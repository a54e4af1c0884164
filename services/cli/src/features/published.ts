/** What is published of feature views and sets, and how the definitions of this program stand to it. */
import { Bad, openCodec } from '@millrace/avro';
import { catalogue, type FeaturePublication, MILLRACE_TOPICS } from '@millrace/contracts';
import {
  contentDifferences,
  type Difference,
  everySet,
  type Pipeline,
  type Publication,
  publicationsOf,
} from '@millrace/define';
import type { World } from '../world/prepare.ts';
import { decoded, wholeTopic } from '../world/slice.ts';

const topic = MILLRACE_TOPICS.features;
const codecOf = ({ registry }: World) =>
  openCodec<FeaturePublication>(registry, catalogue([]).find(({ name }) => name === topic)!.value!);

export const publicationKey = ({
  pipeline,
  kind,
  name,
  version,
}: Pick<Publication, 'pipeline' | 'kind' | 'name' | 'version'> | FeaturePublication): string =>
  `${pipeline}/${kind}/${name}/v${version}`;

/** By key, in the order of their keys. */
export const readPublished = async (world: World): Promise<ReadonlyMap<string, FeaturePublication>> => {
  const found = new Map<string, FeaturePublication>();
  for await (const { value } of decoded(await wholeTopic(world.broker, topic), await codecOf(world)))
    if (value !== null && !(value instanceof Bad)) found.set(publicationKey(value), value);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
};

export const writePublications = async (
  world: World,
  records: readonly FeaturePublication[],
): Promise<void> => {
  if (records.length === 0) return;
  const codec = await codecOf(world);
  const producer = await world.broker.producer();
  try {
    await producer.send(
      records.map(record => ({
        topic,
        partition: 0,
        key: Buffer.from(publicationKey(record)),
        value: codec.encode(record),
      })),
    );
  } finally {
    await producer.close();
  }
};

/** How one definition stands to what is published under its name and version. */
export interface Standing {
  readonly here: Publication;
  readonly published: FeaturePublication | undefined;
  readonly state: 'new' | 'published' | 'deprecated' | 'changed';
  /** Of a changed one: where it differs from what is published. */
  readonly differences: readonly Difference[];
}

/** Each once: versions of a set share most of their views. */
const definitionsOf = (pipelines: readonly Pipeline[]): readonly Publication[] => {
  const all = pipelines.flatMap(everySet).flatMap(publicationsOf);
  return [...new Map(all.map(one => [publicationKey(one), one])).values()];
};

export const standings = (
  pipelines: readonly Pipeline[],
  published: ReadonlyMap<string, FeaturePublication>,
): readonly Standing[] =>
  definitionsOf(pipelines).map((here): Standing => {
    const there = published.get(publicationKey(here));
    if (there === undefined) return { here, published: undefined, state: 'new', differences: [] };
    if (there.hash !== here.hash)
      return {
        here,
        published: there,
        state: 'changed',
        differences: contentDifferences(there.content, here.content),
      };
    return { here, published: there, state: there.deprecated ? 'deprecated' : 'published', differences: [] };
  });

export const recordOf = (here: Publication, at: number, by: string, why: string): FeaturePublication => ({
  ...here,
  deprecated: false,
  at,
  by,
  why,
});
