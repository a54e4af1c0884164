/** `millrace tail`: follows what is scored, or what is pushed beside it. */
import { Bad, openCodec } from '@millrace/avro';
import { catalogue, type PredictionValue, type PushValue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import type { World } from '../world/prepare.ts';
import { decoded } from '../world/slice.ts';

export interface TailOptions {
  readonly limit: number | undefined;
  readonly fromBeginning: boolean;
  readonly output: OutputForm;
}

const tableRow = (p: PredictionValue): (string | number)[] => [
  new Date(p.eventTime).toISOString(), p.entity, p.eventId, Object.values(p.outputs)[0]!.toFixed(4), p.decision, `${p.model}@${p.modelVersion}`,
  p.fallback ?? '', p.predictionId,
]; // prettier-ignore
const HEADER = ['EVENT TIME', 'ENTITY', 'EVENT', 'SCORE', 'DECISION', 'MODEL', 'FALLBACK', 'PREDICTION'];

const pushRow = (p: PushValue): (string | number)[] => [
  new Date(p.eventTime).toISOString(), p.entity, p.eventId, p.decision, p.runId, p.predictionId,
  ...Object.values(p.values).map(value => (typeof value === 'number' ? Number(value.toPrecision(6)) : String(value ?? ''))),
]; // prettier-ignore
const PUSH_HEADER = ['EVENT TIME', 'ENTITY', 'EVENT', 'DECISION', 'RUN', 'PREDICTION'];

/** What is followed, and how it is shown. */
export interface Followed {
  readonly topic: string;
  readonly header: readonly string[];
  readonly row: (value: unknown) => readonly (string | number)[];
}

/** @param what `predictions`, or the name of a push. @throws UsageError naming what there is */
export const followed = (pipeline: Pipeline, what: string): Followed => {
  const { predictions, pushes } = topicsOf(pipeline);
  if (what === 'predictions')
    return { topic: predictions, header: HEADER, row: (value: unknown) => tableRow(value as PredictionValue) };
  const topic = pushes[what];
  if (topic === undefined)
    throw new UsageError(
      `there is nothing to tail called '${what}'; there is: ${['predictions', ...Object.keys(pushes)].join(', ')}`,
    );
  const header = [...PUSH_HEADER, ...Object.keys(pipeline.pushes[what]!.fields).map(name => name.toUpperCase())];
  return { topic, header, row: (value: unknown) => pushRow(value as PushValue) };
}; // prettier-ignore

/** Follows the topic, committed records only; NDJSON with `--output json`. */
export const tail = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  { topic, header, row }: Followed,
  options: TailOptions,
): Promise<ExitCode> => {
  const codec = await openCodec<object>(
    world.registry,
    catalogue([pipeline]).find(t => t.name === topic)!.value!,
  );
  const from = options.fromBeginning
    ? ({ topic, at: 'beginning' } as const)
    : await world.broker.admin.endOffsets(topic);
  const end = new AbortController();
  const signal = AbortSignal.any([io.signal, end.signal]);
  let seen = 0;
  for await (const record of decoded(world.broker.read({ from, signal }), codec)) {
    if (record.value === null) continue;
    if (record.value instanceof Bad)
      io.say(`${topic}/${record.partition}/${record.offset}: ${record.value.message}`);
    else if (options.output === 'json')
      io.out(JSON.stringify({ ...record.value, partition: record.partition, offset: record.offset }));
    else {
      const lines = table(header, [row(record.value)]);
      for (const line of seen === 0 ? lines : lines.slice(2)) io.out(line);
    }
    if (++seen === options.limit) {
      end.abort();
      break;
    }
  }
  return EXIT.done;
};
