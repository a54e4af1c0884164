/**
 * `millrace run`: features and scores of a file without Kafka, by the code that serves them: a data scientist's first
 * hour. Events are folded in event time; labels, where given, count from when they became known.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Bad } from '@millrace/avro';
import { catalogue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import {
  compareOrder,
  compileSet,
  type FoldEvent,
  foldInOrder,
  readEvent,
  type Vector,
} from '@millrace/features';
import { readSchema, toValue } from '@millrace/ingest';
import { loadModel, type Model, workerScorer, scoreIsolating } from '@millrace/model';
import { EXIT, type ExitCode, type Io } from '../io.ts';
import { fileRows, parseMapping } from '../publish/rows.ts';

export interface RunOptions {
  readonly input: string;
  readonly labels: string | undefined;
  readonly map: string | undefined;
  readonly models: string;
  readonly modelVersion: string;
  readonly output: 'csv' | 'json';
}

const BATCH_ROWS = 512;

const readStream = async (
  io: Io,
  pipeline: Pipeline,
  stream: string,
  file: string,
  map: string | undefined,
): Promise<FoldEvent[]> => {
  const topic = topicsOf(pipeline).events[stream]!;
  const schema = readSchema(catalogue([pipeline]).find(t => t.name === topic)!.value!.schema);
  const mapping = map === undefined ? undefined : parseMapping(map);
  const events: FoldEvent[] = [];
  for await (const row of fileRows(file, { stdin: io.stdin, ...(mapping && { mapping }) })) {
    const value = toValue(schema, row);
    if (value instanceof Bad) throw new RangeError(`${file}, record ${events.length + 1}: ${value.message}`);
    events.push(readEvent(pipeline, stream, value as Record<string, unknown>, 0, events.length));
  }
  return events;
};

const openModel = async (pipeline: Pipeline, options: RunOptions): Promise<Model | undefined> => {
  const folder = join(options.models, pipeline.model.name, options.modelVersion);
  return existsSync(folder) ? loadModel(folder, workerScorer) : undefined;
};

/** Outputs of each vector in order; NaN where the model refused the row. */
const scoreAll = async (model: Model, vectors: readonly Vector[]): Promise<Float32Array[]> => {
  const { input, output } = model.widths;
  const scores: Float32Array[] = [];
  for (let at = 0; at < vectors.length; at += BATCH_ROWS) {
    const batch = vectors.slice(at, at + BATCH_ROWS);
    const data = new Float32Array(batch.length * input);
    batch.forEach((vector, i) => data.set(vector.values, i * input));
    const isolated = await scoreIsolating(model.scorer, { rows: batch.length, data }, model.widths);
    for (let i = 0; i < batch.length; i++)
      scores.push(
        isolated.failed.has(i)
          ? new Float32Array(output).fill(Number.NaN)
          : isolated.data.slice(i * output, (i + 1) * output),
      );
  }
  return scores;
};

const print = (io: Io, names: readonly string[], outputs: readonly string[], vectors: readonly Vector[], scores: readonly Float32Array[], form: 'csv' | 'json'): void => {
  if (form === 'csv') io.out(['eventId', 'eventTime', ...names, ...outputs].join(','));
  vectors.forEach(({ event, values, late }, i) => {
    const eventTime = new Date(event.time).toISOString();
    const answer = scores[i] ?? [];
    if (form === 'csv') {
      const id = /[",\n]/.test(event.eventId) ? `"${event.eventId.replaceAll('"', '""')}"` : event.eventId;
      return io.out([id, eventTime, ...values, ...answer].join(','));
    }
    const named = (of: readonly string[], from: ArrayLike<number>): object => Object.fromEntries(of.map((name, k) => [name, from[k]]));
    io.out(JSON.stringify({ eventId: event.eventId, eventTime, late, features: named(names, values), ...(scores[i] && { outputs: named(outputs, scores[i]) }) }));
  });
}; // prettier-ignore

export const run = async (io: Io, pipeline: Pipeline, options: RunOptions): Promise<ExitCode> => {
  const events = await readStream(io, pipeline, pipeline.scores, options.input, options.map);
  const labelStream = Object.entries(pipeline.events).find(([, s]) => s.of === pipeline.scores)?.[0];
  if (options.labels !== undefined) {
    if (labelStream === undefined) throw new RangeError(`pipeline ${pipeline.name} has no stream of labels`);
    events.push(...(await readStream(io, pipeline, labelStream, options.labels, undefined)));
  }
  const set = compileSet(pipeline);
  const vectors = [...foldInOrder(set, events.sort(compareOrder))];
  const model = await openModel(pipeline, options);
  try {
    if (model !== undefined && model.manifest.featureSet.hash !== set.hash)
      throw new RangeError(
        `model ${model.manifest.name}@${model.manifest.version} needs feature set ${model.manifest.featureSet.hash.slice(0, 12)}…, and pipeline ${pipeline.name} defines ${set.hash.slice(0, 12)}…: train it again, or give the version it was trained for`,
      );
    const scores = model === undefined ? [] : await scoreAll(model, vectors);
    print(io, set.names, model?.manifest.outputs.map(o => o.name) ?? [], vectors, scores, options.output);
  } finally {
    await model?.close();
  }
  const which =
    model === undefined
      ? `no model in ${options.models}, so no scores`
      : `scored by ${model.manifest.name}@${model.manifest.version}`;
  io.say(`${events.length} events, ${vectors.length} vectors of ${set.names.length} features; ${which}.`);
  return EXIT.done;
};
