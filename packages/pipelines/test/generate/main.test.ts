import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { generatedFiles, SCHEMA_FOLDER } from '@millrace/contracts';
import { pipelines } from '../../src/index.ts';

const ROOT = join(SCHEMA_FOLDER, '..');
const files = generatedFiles(pipelines);
/** The formatter lays schemas and pages out: what they say counts. */
const said = (path: string, text: string): unknown => {
  if (path.endsWith('.avsc')) return JSON.parse(text);
  return path.endsWith('.md') ? text.replaceAll(/[\s-]+/g, ' ').replaceAll(/(\| )+\|/g, '|') : text;
};

describe('generated files are fresh: run `pnpm generate`', () => {
  test.each(files)('$path', ({ path, text }) => {
    expect(said(path, readFileSync(join(ROOT, path), 'utf8'))).toEqual(said(path, text));
  });

  test('and none is left over', () => {
    const folder = 'packages/contracts/src/generated';
    const wanted = files.map(({ path }) => path).filter(path => path.startsWith(folder));
    expect(
      readdirSync(join(ROOT, folder))
        .map(name => `${folder}/${name}`)
        .toSorted(),
    ).toEqual(wanted.toSorted());
  });
});
