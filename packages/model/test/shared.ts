import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { test } from '@jest/globals';

/** Published data that lies beside a checkout of the project's workplace, and nowhere else. */
const FOLDER = join(import.meta.dirname, '../../../../shared/data');

/** Skipped, visibly, where the published data is not there. */
export const sharedDataTest = existsSync(FOLDER) ? test : test.skip;

export const sharedBytes = (path: string): Uint8Array => new Uint8Array(readFileSync(join(FOLDER, path)));

/** Rows of a gzipped CSV as numbers, its first line left out. */
export const sharedNumbers = (path: string): number[][] =>
  gunzipSync(readFileSync(join(FOLDER, path)))
    .toString()
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.split(',').map(Number));
