import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { testUnless } from '../../../test/jest/skip.ts';

/** Published data with licences of its own: it lies beside a checkout, never in it. */
const FOLDER = join(import.meta.dirname, '../../../../shared/data');

/** Skipped, visibly, where the published data is not there. */
export const sharedDataTest = testUnless(
  existsSync(FOLDER) ? undefined : 'no published data beside the repository',
);

export const sharedBytes = (path: string): Uint8Array => new Uint8Array(readFileSync(join(FOLDER, path)));

/** Rows of a gzipped CSV cut at commas, its first line left out. */
export const sharedRows = (path: string): string[][] =>
  gunzipSync(readFileSync(join(FOLDER, path)))
    .toString()
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.split(','));

export const sharedNumbers = (path: string): number[][] => sharedRows(path).map(cells => cells.map(Number));
