import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { catalogue, topicsOf } from '@millrace/contracts';
import { featureNames } from '@millrace/define';
import { cutsLiveEpochs } from '@millrace/feature';
import { misfits } from '@millrace/inference';
import { readModelFolder } from '@millrace/model';
import { fraud } from '@millrace/pipelines';
import { ONE_KEY, writeModels } from '../../src/endToEnd/oneKey.ts';

test('it has the columns of the shipped pipeline, one stage and no epochs', () => {
  expect(featureNames(ONE_KEY.features)).toEqual(featureNames(fraud.features));
  expect(topicsOf(fraud).release).toBeDefined();
  const { release, repartition } = topicsOf(ONE_KEY);
  expect([release, repartition]).toEqual([undefined, {}]);
  expect(cutsLiveEpochs(ONE_KEY)).toBe(false);
  const names = catalogue([ONE_KEY]).map(({ name }) => name);
  expect(names.filter(name => name.includes('labels'))).toEqual([]);
});

test('the shipped model answers it, and fits no other set', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  try {
    // Read, with the file's bytes against the digest; the golden rows are the shipped model's own.
    const { manifest } = await readModelFolder(join(writeModels(folder), ONE_KEY.model.name, '1'));
    expect(misfits(ONE_KEY, manifest)).toEqual([]);
    expect(misfits(fraud, manifest)).not.toEqual([]);
    const shipped = await readModelFolder(join(folder, fraud.model.name, '1'));
    expect(misfits(fraud, shipped.manifest)).toEqual([]);
    expect(shipped.manifest.sha256).toBe(manifest.sha256);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
