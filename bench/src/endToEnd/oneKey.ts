/** Beside the shipped pipeline: the same model and the same columns, without terminals, so without a second stage and without epochs. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constant, derived, type FeatureView, hashFeatureSet, type Pipeline } from '@millrace/define';
import { fraud, MODELS_FOLDER } from '@millrace/pipelines';
import type { Manifest } from '@millrace/model';
import { CUSTOMER_VIEWS, ofCustomers } from '../load/customers.ts';
import { MODEL_VERSION } from '../world/open.ts';

const NAME = 'one-key';

/** What terminals would say, as zeros: the model has the columns that it wants. */
const noTerminals: FeatureView = {
  name: 'no-terminals',
  version: 1,
  features: Object.fromEntries(
    fraud.features.views
      .filter(({ key }) => key === 'terminalId')
      .flatMap(({ features }) => Object.keys(features))
      .map(name => [name, derived(constant(0))]),
  ),
};

export const ONE_KEY: Pipeline = {
  ...ofCustomers(NAME, [...CUSTOMER_VIEWS, noTerminals]),
  model: { ...fraud.model, name: NAME, fallback: [{ constant: { score: 0.01 } }] },
};

/** The models that ship, and the shipped one once more, made for the other set. Returns the folder of model folders. */
export const writeModels = (folder: string): string => {
  const shipped = join(MODELS_FOLDER, fraud.model.name, MODEL_VERSION);
  const own = join(folder, NAME, MODEL_VERSION);
  cpSync(MODELS_FOLDER, folder, { recursive: true });
  mkdirSync(own, { recursive: true });
  cpSync(shipped, own, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(shipped, 'manifest.json'), 'utf8')) as Manifest;
  const featureSet = {
    pipeline: NAME,
    version: ONE_KEY.features.version,
    hash: hashFeatureSet(ONE_KEY),
  };
  writeFileSync(join(own, 'manifest.json'), JSON.stringify({ ...manifest, name: NAME, featureSet }));
  return folder;
};
