/** The shipped pipeline with a second version of its feature set beside the first: one window more. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { count, featureView, hashFeatureSet, ofSet, type Pipeline } from '@millrace/define';
import { fraud, MODELS_FOLDER, pipelinesNamed } from '@millrace/pipelines';

/** What only the second version has. */
export const NEW_FEATURE = 'customerTxCount90d';
const customerSeason = featureView({
  name: 'customer-season',
  version: 1,
  key: 'customerId',
  features: { [NEW_FEATURE]: count({ of: 'transactions', window: '90d' }) },
});

const PARTITIONS = 3;

export const twoSets = (name: string): Pipeline => {
  const { features } = fraud;
  const second = { ...features, version: 2, views: [...features.views, customerSeason] };
  return {
    ...fraud,
    name,
    partitions: PARTITIONS,
    delivery: { ...fraud.delivery, epochMs: 50 },
    beside: [second],
  };
};

/** As services are told what to serve: `NAME`, or `NAME@VERSION`. */
export const twoSetsNamed = (names: readonly string[]): readonly Pipeline[] =>
  names.flatMap(name => pipelinesNamed([name], [twoSets(name.split('@')[0]!)]));

/** The shipped model once for each version of the set, under the number of that version. */
export const writeModels = (folder: string, pipeline: Pipeline): void => {
  for (const version of [1, 2]) {
    const into = join(folder, pipeline.model.name, String(version));
    cpSync(join(MODELS_FOLDER, fraud.model.name, '1'), into, { recursive: true });
    const file = join(into, 'manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const featureSet = { pipeline: pipeline.name, version, hash: hashFeatureSet(ofSet(pipeline, version)) };
    writeFileSync(file, JSON.stringify({ ...manifest, version: String(version), featureSet }));
  }
};
