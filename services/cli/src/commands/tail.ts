import { Bad, openCodec } from '@millrace/avro';
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { EXIT, type ExitCode, type Io, type OutputForm, table } from '../io.ts';
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

/** `millrace tail predictions`: follows the topic, committed records only; NDJSON with `--output json`. */
export const tailPredictions = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  options: TailOptions,
): Promise<ExitCode> => {
  const topic = topicsOf(pipeline).predictions;
  const codec = await openCodec<PredictionValue>(
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
      const lines = table(HEADER, [tableRow(record.value)]);
      for (const line of seen === 0 ? lines : lines.slice(2)) io.out(line);
    }
    if (++seen === options.limit) {
      end.abort();
      break;
    }
  }
  return EXIT.done;
};
