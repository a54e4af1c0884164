import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bad, openCodec } from '@millrace/avro';
import {
  catalogue,
  type FeaturesValue,
  inputHash,
  type PredictionValue,
  scoredValues,
  topicsOf,
} from '@millrace/contracts';
import { everySet, type Pipeline } from '@millrace/define';
import { EXIT, type ExitCode, type Io, type OutputForm } from '../io.ts';
import type { World } from '../world/prepare.ts';
import { decoded, recordAt, type Seen, wholeTopic } from '../world/slice.ts';

/** One thing that was looked up on the way back from a score, and whether it is what the prediction says. */
export interface Finding {
  readonly what: string;
  readonly found: boolean;
  readonly matches: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
}

const codecOf = <T>(world: World, pipeline: Pipeline, topic: string) =>
  openCodec<T>(world.registry, catalogue([pipeline]).find(t => t.name === topic)!.value!);

const findPrediction = async (
  world: World,
  pipeline: Pipeline,
  id: string,
): Promise<Seen<PredictionValue> | undefined> => {
  const topic = topicsOf(pipeline).predictions;
  const codec = await codecOf<PredictionValue>(world, pipeline, topic);
  for await (const seen of decoded(await wholeTopic(world.broker, topic), codec))
    if (seen.value !== null && !(seen.value instanceof Bad) && seen.value.predictionId === id) return seen;
  return undefined;
};

const findInput = async (world: World, pipeline: Pipeline, p: PredictionValue): Promise<Finding> => {
  const at = { topic: p.sourceTopic, partition: p.sourcePartition, offset: p.sourceOffset };
  const seen = await recordAt(
    world.broker,
    at,
    await codecOf<Record<string, unknown>>(world, pipeline, p.sourceTopic),
  );
  if (seen?.bytes === undefined || seen.bytes === null)
    return { what: 'input', found: false, matches: false, detail: at };
  const hash = inputHash(seen.bytes);
  const value = seen.value instanceof Bad ? { unreadable: seen.value.message } : seen.value;
  return {
    what: 'input',
    found: true,
    matches: hash === p.inputHash,
    detail: { ...at, bytes: seen.bytes.length, hash, value },
  };
};

/** Compaction keeps an entity's newest vector only; the prediction holds the one that was scored all the same. */
const findVector = async (
  world: World,
  pipeline: Pipeline,
  partition: number,
  p: PredictionValue,
): Promise<Finding> => {
  const set = everySet(pipeline).find(({ features: { version } }) => version === p.featureSet) ?? pipeline;
  const { features, aside } = topicsOf(set);
  for (const topic of [features, aside]) {
    const at = { topic, partition, offset: p.vectorOffset };
    const seen = await recordAt(world.broker, at, await codecOf<FeaturesValue>(world, set, topic));
    if (
      seen === undefined ||
      seen.value === null ||
      seen.value instanceof Bad ||
      seen.value.eventId !== p.eventId
    )
      continue;
    const same = Object.entries(seen.value.features).every(([name, value]) =>
      Object.is(p.features[name], value),
    );
    return {
      what: 'feature vector', found: true, matches: same,
      detail: { ...at, featureSet: seen.value.featureSet, hash: seen.value.featureSetHash, late: seen.value.late, values: seen.value.features },
    }; // prettier-ignore
  }
  return {
    what: 'feature vector',
    found: false,
    matches: false,
    detail: { partition, offset: p.vectorOffset, values: scoredValues(pipeline)(p) },
  };
};

const findModel = (models: string, p: PredictionValue): Finding => {
  const file = join(models, p.model, p.modelVersion, 'model.onnx');
  const detail = {
    model: p.model,
    version: p.modelVersion,
    digest: p.modelDigest,
    controlRevision: p.controlRevision,
  };
  if (!existsSync(file)) return { what: 'model', found: false, matches: false, detail };
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
  return { what: 'model', found: true, matches: digest === p.modelDigest, detail: { ...detail, file } };
};

/** `millrace trace PREDICTION_ID`: from the score back to the input's bytes, the vector and the model. */
export const trace = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  options: { readonly id: string; readonly models: string; readonly output: OutputForm },
): Promise<ExitCode> => {
  const seen = await findPrediction(world, pipeline, options.id);
  if (seen === undefined) {
    io.say(
      `no prediction ${options.id} on ${topicsOf(pipeline).predictions}: check the id, or retention has taken it`,
    );
    return EXIT.failed;
  }
  const prediction = seen.value as PredictionValue;
  const findings = [
    await findInput(world, pipeline, prediction),
    await findVector(world, pipeline, seen.partition, prediction),
    findModel(options.models, prediction),
  ];
  if (options.output === 'json')
    io.out(
      JSON.stringify({
        prediction,
        at: { topic: seen.topic, partition: seen.partition, offset: seen.offset },
        findings,
      }),
    );
  else {
    const [name, score] = Object.entries(prediction.outputs)[0]!;
    io.out(`prediction ${prediction.predictionId}  ${prediction.decision}, ${name} ${score.toFixed(6)}`);
    io.out(
      `  event ${prediction.eventId} of ${prediction.entity} at ${new Date(prediction.eventTime).toISOString()}`,
    );
    io.out(
      `  on ${seen.topic}/${seen.partition}/${seen.offset}, route ${prediction.route}${prediction.review ? ' (to be reviewed)' : ''}, arm ${prediction.arm}${prediction.engine === null ? '' : `, on ${prediction.engine}`}, batch ${prediction.batchId}`,
    );
    for (const { what, found, matches, detail } of findings)
      io.out(
        `  ${what}: ${found ? (matches ? 'found, matches' : 'FOUND, BUT DIFFERS') : 'no longer there'}  ${JSON.stringify(detail)}`,
      );
  }
  return findings.some(f => f.found && !f.matches) ? EXIT.differences : EXIT.done;
};
