/** Model folders for ONNX files that come without a manifest, and the models that ship. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hashFeatureSet, type Pipeline } from '@millrace/define';
import { type MakeScorer, type Manifest, readModelFolder } from '@millrace/model';
import { MODELS_FOLDER } from '@millrace/pipelines';
import type { Vectors } from './vectors.ts';

/** A model in the folder that the inference service looks through, with its bytes for asking it here. */
export interface Candidate {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly bytes: Uint8Array;
}

const GOLDEN_ROWS = 8;
const GIVEN_VERSION = 'given';

/** `fraud_lr.onnx` -> `fraud-lr`. */
const modelName = (file: string): string =>
  basename(file, '.onnx')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');

/** The model that ships, copied into `folder`. */
export const shippedModel = async (
  folder: string,
  pipeline: Pipeline,
  version: string,
): Promise<Candidate> => {
  const { name } = pipeline.model;
  const into = join(folder, name, version);
  cpSync(join(MODELS_FOLDER, name, version), into, { recursive: true });
  const { manifest, bytes } = await readModelFolder(into);
  return { name, version, manifest, bytes };
};

/** Answers to rows as the model gives them offline, row-major in the order of its outputs. */
export const scoreOffline = async (
  make: MakeScorer,
  { bytes, manifest }: Pick<Candidate, 'bytes' | 'manifest'>,
  rows: number,
  data: Float32Array,
): Promise<Float32Array> => {
  const scorer = await make(bytes, manifest);
  try {
    return (await scorer.score({ rows, data })).data;
  } finally {
    await scorer.close();
  }
};

const givenModel = async (
  make: MakeScorer,
  file: string,
  folder: string,
  pipeline: Pipeline,
  vectors: Vectors,
): Promise<Candidate> => {
  const name = modelName(file);
  const bytes = readFileSync(file);
  const width = vectors.names.length;
  const draft: Omit<Manifest, 'golden'> = {
    name,
    version: GIVEN_VERSION,
    file: 'model.onnx',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    inputs: [{ name: 'features', type: 'float32', shape: ['N', width] }],
    features: vectors.names,
    outputs: [{ name: pipeline.model.outputs[0]!, tensor: 'probabilities', column: 1, batchAxis: 0 }],
    featureSet: {
      pipeline: pipeline.name,
      version: pipeline.features.version,
      hash: hashFeatureSet(pipeline),
    },
    providers: ['cpu'],
    training: { data: 'not ours', seed: 0, commit: 'unknown' },
    license: 'unknown',
    createdAt: '2018-10-01T00:00:00Z',
  };
  const step = Math.max(1, Math.floor(vectors.rows / GOLDEN_ROWS));
  const picked = Array.from({ length: GOLDEN_ROWS }, (_, i) => vectors.row((i * step) % vectors.rows));
  const asked = { manifest: { ...draft, golden: { rows: [], outputs: [], tolerance: 0 } }, bytes };
  const answers = await scoreOffline(
    make,
    asked,
    GOLDEN_ROWS,
    Float32Array.from(picked.flatMap(row => [...row])),
  );
  const manifest: Manifest = {
    ...draft,
    golden: {
      rows: picked.map(row => [...row]),
      outputs: [...answers].map(score => [score]),
      tolerance: 1e-5,
    },
  };
  const into = join(folder, name, GIVEN_VERSION);
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, manifest.file), bytes);
  writeFileSync(join(into, 'manifest.json'), JSON.stringify(manifest));
  return { name, version: GIVEN_VERSION, manifest, bytes };
};

/** A model folder for every ONNX file of `from`: input `features` [N, width], score in column 1 of `probabilities`. */
export const givenModels = async (
  make: MakeScorer,
  from: string,
  folder: string,
  pipeline: Pipeline,
  vectors: Vectors,
): Promise<readonly Candidate[]> => {
  const files = readdirSync(from).filter(name => name.endsWith('.onnx')).sort(); // prettier-ignore
  const models: Candidate[] = [];
  for (const file of files) models.push(await givenModel(make, join(from, file), folder, pipeline, vectors));
  return models;
};
