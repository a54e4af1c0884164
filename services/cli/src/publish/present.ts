/** What is on the topics of a pipeline's streams already, so that nothing is sent twice. */
import { createHash } from 'node:crypto';
import { Bad } from '@millrace/avro';
import { topicsOf } from '@millrace/contracts';
import { canonicalJson, type Pipeline } from '@millrace/define';
import type { World } from '../world/prepare.ts';
import { valuesOf } from '../world/slice.ts';
import type { StreamValue } from './publisher.ts';

/** Most records of one stream that are remembered. */
export const PRESENT_MAX = 5_000_000;

/** - `new`: no record has its id · `same`: this one is there · `other`: one with its id says something else */
export type Presence = 'new' | 'same' | 'other';

/** Where it came from may differ: what it says counts. */
const digestOf = (value: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(canonicalJson({ ...value, lineage: null })).digest('base64').slice(0, 22); // prettier-ignore

/**
 * Reads the streams to their ends. Who asks about a new record is about to send it: it is there from then on.
 * @param prefixes how the ids begin that will be asked for; others are not remembered
 * @throws RangeError where a stream has more than `PRESENT_MAX` of them
 */
export const readPresent = async (
  world: World,
  pipeline: Pipeline,
  streams: readonly string[],
  prefixes: readonly string[],
): Promise<(value: StreamValue) => Presence> => {
  const present = new Map(streams.map(stream => [stream, new Map<string, string>()] as const));
  const remember = (stream: string, id: string, digest: string): void => {
    const digests = present.get(stream)!.set(id, digest);
    if (digests.size > PRESENT_MAX)
      throw new RangeError(`stream ${stream} has more than ${PRESENT_MAX} records of this portfolio: send it with --stream and --file`);
  };
  for (const stream of streams) {
    const records = valuesOf<Record<string, unknown>>(world, pipeline, topicsOf(pipeline).events[stream]!);
    for await (const { value } of records) {
      if (value === null || value instanceof Bad) continue;
      const id = value['eventId'] as string;
      // The first one counts: a later one with its id and revision is a duplicate to everybody who reads them.
      if (value['revision'] !== 0 || present.get(stream)!.has(id)) continue;
      if (prefixes.some(prefix => id.startsWith(prefix))) remember(stream, id, digestOf(value));
    }
  }
  return ({ stream, value }) => {
    const id = value['eventId'] as string;
    const [there, asked] = [present.get(stream)!.get(id), digestOf(value)];
    if (there === undefined) remember(stream, id, asked);
    return there === undefined ? 'new' : there === asked ? 'same' : 'other';
  };
}; // prettier-ignore
