/** Whether the set that is to be served is the one that was published under its version. */
import { Bad, openCodec, type Registry } from '@millrace/avro';
import { catalogue, type FeaturePublication, MILLRACE_TOPICS } from '@millrace/contracts';
import { contentDifferences, publicationsOf } from '@millrace/define';
import { type Broker, decoded, wholeTopic } from '@millrace/stream';
import type { Plan } from './plan.ts';

/**
 * Refuses a view or set whose version is published with other content: consumers and models know it as that. What is not
 * published may be served; `millrace features publish` makes it known. @throws Error with the places that differ
 */
export async function refuseChangedSet(
  broker: Broker,
  registry: Registry,
  { pipeline }: Plan,
): Promise<void> {
  const topic = MILLRACE_TOPICS.features;
  const codec = await openCodec<FeaturePublication>(
    registry,
    catalogue([]).find(({ name }) => name === topic)!.value!,
  );
  const here = publicationsOf(pipeline);
  const newest = new Map<string, FeaturePublication>();
  for await (const { value } of decoded(await wholeTopic(broker, topic), codec))
    if (value !== null && !(value instanceof Bad))
      newest.set(`${value.pipeline}/${value.kind}/${value.name}/${value.version}`, value);
  for (const { name, kind, version, hash, content } of here) {
    const published = newest.get(`${pipeline.name}/${kind}/${name}/${version}`);
    if (published === undefined || published.hash === hash) continue;
    const places = contentDifferences(published.content, content).map(({ path }) => path);
    throw new Error(
      `feature ${kind} ${name}@${version} is published with other content (${places.join(', ')}): give it a new version, ` +
        'or serve what was published; millrace features diff shows both',
    );
  }
}
