import { consumerGroup } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { featureGroup } from '@millrace/feature';
import { inputsOf, readRange } from './read.ts';
import type { Town } from './town.ts';
import type { World } from './world.ts';

/** Partitions with records that are not committed by the group that reads them, and what is still to come. */
export async function openIn(town: Town, world: World, pipeline: Pipeline): Promise<readonly string[]> {
  const { admin } = town.outside;
  const groups = [
    [featureGroup(pipeline), inputsOf(world, 'feature')],
    [consumerGroup('inference', pipeline), inputsOf(world, 'inference')],
  ] as const;
  const open: string[] = town.underWay > 0 ? [`${town.underWay} sends or commands are under way`] : [];
  for (const [group, inputs] of groups) {
    const committed = await town.ask(admin.committed(group, inputs));
    const ends = await town.ask(Promise.all(inputs.map(topic => admin.endOffsets(topic))));
    for (const { topic, partition, offset } of ends.flat()) {
      const at = committed.find(c => c.topic === topic && c.partition === partition)?.offset ?? 0;
      // Marks of transactions at the end are gaps, and nobody commits a gap.
      const left = at < offset ? await readRange(town, topic, partition, at, offset) : [];
      if (left.length > 0) open.push(`${topic}-${partition} has ${left.length} open from ${at} on`);
    }
  }
  return open;
}

/** How far every topic reaches, to be compared. */
export async function endsIn(town: Town, world: World): Promise<string> {
  const names = world.catalogue.map(({ name }) => name);
  return JSON.stringify(await town.ask(Promise.all(names.map(name => town.outside.admin.endOffsets(name)))));
}
