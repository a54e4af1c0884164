/** What turned out to be true: the newest revision of each label that was known by a time. */
import { Bad } from '@millrace/avro';
import { asideTopic, type Stretch, topicsOf } from '@millrace/contracts';
import { compileCondition, type Evaluation, type Pipeline } from '@millrace/define';
import type { World } from '../world/prepare.ts';
import { valuesOf } from '../world/slice.ts';

/** A label that is true. Times are milliseconds since the epoch. */
export interface TrueLabel {
  readonly entity: string;
  readonly eventTime: number;
  readonly knownAt: number;
}

export interface Label extends TrueLabel {
  readonly revision: number;
  readonly sequence: number;
  readonly withdrawn: boolean;
  readonly truth: boolean;
}

export interface Labels {
  /** By event id. */
  readonly known: ReadonlyMap<string, Label>;
  /** Records that cannot be decoded. */
  readonly unusable: number;
}

/** Of one revision that comes again with other content the first holds, in the order of a fold, as it does there. */
const stands = (before: Label, { revision, knownAt, sequence }: Omit<Label, 'truth'>): boolean =>
  before.revision > revision ||
  (before.revision === revision &&
    (before.knownAt < knownAt || (before.knownAt === knownAt && before.sequence <= sequence)));

/** Of a topic and then of what was sent again of it, as far as the stretch has them. */
async function* labelsOf(world: World, pipeline: Pipeline, topic: string, stretch?: readonly Stretch[]) {
  for (const name of [topic, asideTopic(topic)])
    if (stretch === undefined || stretch.some(at => at.topic === name))
      yield* valuesOf<Record<string, unknown>>(world, pipeline, name, stretch);
}

/** @param stretch offsets to read; default: all there is. */
export const readLabels = async (
  world: World,
  pipeline: Pipeline,
  { labels, truth }: Evaluation,
  asOfMs: number,
  stretch?: readonly Stretch[],
): Promise<Labels> => {
  const stream = pipeline.events[labels]!;
  const holds = compileCondition<Record<string, unknown>>(truth, {
    timeZone: pipeline.timeZone,
    field: name => label => label[name],
  });
  const known = new Map<string, Label>();
  let unusable = 0;
  const topic = topicsOf(pipeline).events[labels]!;
  for await (const { value, appendTimeMs } of labelsOf(world, pipeline, topic, stretch)) {
    if (value === null) continue;
    if (value instanceof Bad) {
      unusable++;
      continue;
    }
    const knownAt = stream.knownAt === undefined ? appendTimeMs : (value[stream.knownAt] as number);
    if (knownAt > asOfMs) continue;
    const id = value['eventId'] as string;
    const label = {
      revision: (value['revision'] as number | undefined) ?? 0,
      sequence: (value['sequence'] as number | undefined) ?? 0,
      withdrawn: value['withdrawn'] === true,
      knownAt,
      entity: value[pipeline.entity] as string,
      eventTime: value[stream.time] as number,
    };
    const before = known.get(id);
    if (before === undefined || !stands(before, label)) known.set(id, { ...label, truth: holds(value) });
  }
  return { known, unusable };
};
