/**
 * Epochs as the tasks of a version have written them down: which records of an input went into which live epoch. With
 * them the same records can be cut into the same epochs again, by another version.
 */
import { Bad, openCodec, type Registry } from '@millrace/avro';
import { catalogue, type Epochs, type Progress, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type Cut, type Epoch, epochOf, partsOf, type RecordedEnd } from '@millrace/features';
import { type Broker, decoded, type TaskContext, wholeTopic } from '@millrace/stream';
import type { Plan } from './plan.ts';
import type { Outputs } from './values.ts';

/** Ends that one process holds at most, of all partitions: some 200 MB. */
const ENDS_MAX = 4_000_000;

/** Writes down what a cut has put into live epochs, in the transaction of the cut. */
export function recordCut(
  { sources }: Plan,
  { id, out }: Pick<TaskContext<Outputs>, 'id' | 'out'>,
  { stretches, bumpedPast }: Cut<unknown>,
): void {
  if (stretches.length === 0 && bumpedPast === 0) return;
  const value: Epochs = {
    task: id,
    bumped: bumpedPast,
    stretches: stretches.map(({ input, epoch, from, until }) => {
      return { topic: sources[input]!.topic, epoch: partsOf(epoch).n, from, until };
    }),
  };
  out.emit('epochs', Buffer.from(String(id)), value, id);
}

/** What is recorded of one input partition, up to some epoch. */
export interface RecordedInput {
  /** Where the first of its recorded epochs begins. */
  readonly begins: number;
  readonly ends: readonly RecordedEnd[];
}

export interface RecordedEpochs {
  /** Undefined where no record of it went into any epoch. */
  of(topic: string, partition: number): RecordedInput | undefined;
  /** Records of the replay with which the version began that came too late for their slices. */
  readonly bumped: number;
}

const valuesOf = async function* <T>(
  broker: Broker,
  registry: Registry,
  set: Pipeline,
  topic: string,
): AsyncGenerator<T> {
  const codec = await openCodec<T>(registry, catalogue([set]).find(({ name }) => name === topic)!.value!);
  for await (const { value } of decoded(await wholeTopic(broker, topic), codec))
    if (value !== null && !(value instanceof Bad)) yield value;
};

/**
 * @param fromOf offset of an input partition before which nothing is wanted
 * @throws Error where there is more than a process can hold
 */
export async function readRecorded(
  broker: Broker,
  registry: Registry,
  set: Pipeline,
  last: Epoch,
  fromOf: (topic: string, partition: number) => number = () => 0,
): Promise<RecordedEpochs> {
  const inputs = new Map<string, { begins: number; ends: RecordedEnd[] }>();
  let bumped = 0;
  let held = 0;
  for await (const { task, stretches, bumped: some } of valuesOf<Epochs>(broker, registry, set, topicsOf(set).epochs)) {
    bumped += some;
    for (const { topic, epoch: n, from, until } of stretches) {
      const epoch = epochOf({ phase: 'live', n });
      if (epoch > last || until <= fromOf(topic, task)) continue;
      if (++held > ENDS_MAX)
        throw new Error(
          `version ${set.features.version} of ${set.name} has more than ${ENDS_MAX} recorded ends of epochs in this stretch: ` +
            'begin later (--from)',
        );
      const key = `${topic} ${task}`;
      const input = inputs.get(key);
      if (input === undefined) inputs.set(key, { begins: from, ends: [{ epoch, end: until }] });
      else input.ends.push({ epoch, end: until });
    }
  }
  return { bumped, of: (topic, partition) => inputs.get(`${topic} ${partition}`) };
} // prettier-ignore

/** The newest live epoch whose vectors each task of a version has released; nothing of a task that has released none. */
export async function releasedLive(
  broker: Broker,
  registry: Registry,
  set: Pipeline,
): Promise<ReadonlyMap<number, Epoch>> {
  const released = new Map<number, Epoch>();
  for await (const { task, released: epoch } of valuesOf<Progress>(
    broker,
    registry,
    set,
    topicsOf(set).progress,
  ))
    if (epoch?.phase === 'live') released.set(task, epochOf(epoch));
  return released;
}
