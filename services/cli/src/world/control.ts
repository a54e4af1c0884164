/** What is in force, as the control topic says it, and changes to it. */
import { Bad, openCodec } from '@millrace/avro';
import {
  catalogue, type ControlEntry, controlKey, type ControlKind, controlRecord, type ControlRecord, type ControlValues, MILLRACE_TOPICS, parseControl,
} from '@millrace/contracts'; // prettier-ignore
import { type World } from './prepare.ts';
import { decoded, wholeTopic } from './slice.ts';

const topic = MILLRACE_TOPICS.control;
const codecOf = ({ registry }: World) =>
  openCodec<ControlRecord>(registry, catalogue([]).find(({ name }) => name === topic)!.value!);

export interface Control {
  /** Highest revision of any entry. */
  readonly revision: number;
  find<K extends ControlKind>(pipeline: string, kind: K, name: string): ControlValues[K] | undefined;
}

export const readControl = async (world: World): Promise<Control> => {
  const entries = new Map<string, ControlEntry>();
  let revision = 0;
  for await (const { value } of decoded(await wholeTopic(world.broker, topic), await codecOf(world))) {
    if (value === null || value instanceof Bad) continue;
    revision = Math.max(revision, value.revision);
    const entry = parseControl(value);
    if (!(entry instanceof Bad)) entries.set(controlKey(entry), entry);
  }
  return {
    revision,
    find: <K extends ControlKind>(pipeline: string, kind: K, name: string) =>
      entries.get(controlKey({ pipeline, kind, name }))?.value as ControlValues[K] | undefined,
  };
};

export type ControlChange = {
  [K in ControlKind]: { readonly kind: K; readonly name: string; readonly value: ControlValues[K] };
}[ControlKind];

/** Writes changes under one revision, the next. @returns that revision */
export const writeControl = async (
  world: World,
  about: { readonly pipeline: string; readonly by: string; readonly why: string },
  changes: readonly ControlChange[],
): Promise<number> => {
  const revision = (await readControl(world)).revision + 1;
  const codec = await codecOf(world);
  const producer = await world.broker.producer();
  try {
    await producer.send(
      changes.map(change => {
        const entry = { ...about, ...change, revision, at: world.clock.now() } as ControlEntry;
        const value = codec.encode(controlRecord(entry));
        return { topic, partition: 0, key: Buffer.from(controlKey(entry)), value };
      }),
    );
  } finally {
    await producer.close();
  }
  return revision;
};
