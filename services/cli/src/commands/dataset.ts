/** `millrace dataset export`: training rows as Parquet, with a manifest that says exactly what they are. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Stretch } from '@millrace/contracts';
import { featureNames, hashFeatureSet, type Pipeline } from '@millrace/define';
import { type Column, parquetBytes } from '@millrace/feature';
import { captureStretches, type DatasetRow, datasetRows, type DatasetSource } from '../dataset/rows.ts';
import { setOf } from '../features/sets.ts';
import { timeOf } from '../flags.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, UsageError } from '../io.ts';
import type { World } from '../world/prepare.ts';

export interface DatasetOptions {
  /** Version of the feature set; undefined: the one that the definition names first. */
  readonly set: number | undefined;
  /** Inclusive days of event time, YYYY-MM-DD in UTC. */
  readonly from: string;
  readonly to: string;
  /** Labels known by this time (ISO 8601) count; default: the time of the export. */
  readonly asOf: string | undefined;
  readonly source: DatasetSource;
  /** The file to write; the manifest is beside it, with `.manifest.json` behind its name. */
  readonly out: string;
  /** Manifest of an earlier export: exactly its offsets and its time of knowing again. */
  readonly like: string | undefined;
  readonly output: OutputForm;
}

export interface DatasetManifest {
  readonly format: 1;
  readonly file: string;
  readonly sha256: string;
  readonly pipeline: string;
  readonly featureSet: number;
  readonly featureSetHash: string;
  readonly source: DatasetSource;
  readonly from: string;
  readonly to: string;
  readonly asOf: string;
  readonly stretches: readonly Stretch[];
  readonly columns: readonly string[];
  readonly rows: number;
  readonly labelled: number;
  readonly positives: number;
  /** Records that could not be used: not decodable, or vectors of other content. */
  readonly unusable: number;
}

const DAY_MS = 86_400_000;

const columnsOf = (pipeline: Pipeline, rows: readonly DatasetRow[]): readonly Column[] => [
  { name: 'eventId', type: 'STRING', data: rows.map(row => row.eventId) },
  { name: 'revision', type: 'INT32', data: rows.map(row => row.revision) },
  { name: 'entity', type: 'STRING', data: rows.map(row => row.entity) },
  { name: 'eventTime', type: 'TIMESTAMP', data: rows.map(row => new Date(row.eventTime)) },
  ...featureNames(pipeline.features).map((name, i): Column => ({
    name,
    type: 'FLOAT',
    data: Float32Array.from(rows, row => row.features[i]!),
  })),
  { name: 'label', type: 'BOOLEAN', data: rows.map(row => row.truth ?? null) },
  {
    name: 'labelKnownAt',
    type: 'TIMESTAMP',
    data: rows.map(row => (row.knownAt === undefined ? null : new Date(row.knownAt))),
  },
];

const readManifest = (file: string): DatasetManifest => {
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as DatasetManifest;
  if (manifest.format !== 1)
    throw new UsageError(`${file} is no manifest of a dataset that this version can read`);
  return manifest;
};

export const exportDataset = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  options: DatasetOptions,
): Promise<ExitCode> => {
  const { evaluation } = pipeline;
  if (evaluation === undefined)
    throw new UsageError(`pipeline ${pipeline.name} does not say what labels its events: give it an evaluation`);
  const like = options.like === undefined ? undefined : readManifest(options.like);
  const source = like?.source ?? options.source;
  const set = like?.featureSet ?? options.set ?? pipeline.features.version;
  const own = setOf(pipeline, set);
  const [from, to] = [like?.from ?? options.from, like?.to ?? options.to];
  const asOfMs = timeOf('as-of', like?.asOf ?? options.asOf) ?? world.clock.now();
  const stretches = like?.stretches ?? (await captureStretches(world, own, source, evaluation));
  const { rows, unusable } = await datasetRows(world, pipeline, {
    source,
    set,
    evaluation,
    fromMs: timeOf('from', from)!,
    untilMs: timeOf('to', to)! + DAY_MS,
    asOfMs,
    stretches,
  });
  const featureSetHash = hashFeatureSet(own);
  if (like !== undefined && like.featureSetHash !== featureSetHash)
    throw new UsageError(`${options.like} is of feature set ${like.featureSetHash.slice(0, 12)}…, and this is ${featureSetHash.slice(0, 12)}…`);
  const columns = columnsOf(own, rows);
  const about = { 'millrace.pipeline': pipeline.name, 'millrace.featureSetHash': featureSetHash };
  const bytes = parquetBytes(columns, about);
  const manifest: DatasetManifest = {
    format: 1, file: basename(options.out), sha256: createHash('sha256').update(bytes).digest('hex'), pipeline: pipeline.name,
    featureSet: set, featureSetHash, source, from, to, asOf: new Date(asOfMs).toISOString(), stretches,
    columns: columns.map(({ name }) => name), rows: rows.length, labelled: rows.filter(({ truth }) => truth !== undefined).length,
    positives: rows.filter(({ truth }) => truth === true).length, unusable,
  };
  writeFileSync(options.out, bytes);
  writeFileSync(`${options.out}.manifest.json`, `${JSON.stringify(manifest, undefined, 2)}\n`);
  if (options.output === 'json') io.out(JSON.stringify(manifest));
  else io.out(`${manifest.rows} rows, ${manifest.labelled} labelled, ${manifest.positives} true; sha256 ${manifest.sha256}`);
  if (unusable > 0) io.say(`${unusable} records could not be used: not decodable, or of other content of the set.`);
  if (like !== undefined && like.sha256 !== manifest.sha256) {
    io.say(`The bytes are not those of ${options.like}: retention or compaction took what it was made of.`);
    return EXIT.differences;
  }
  return EXIT.done;
}; // prettier-ignore
