/**
 * `pnpm generate`: writes schemas and types that follow from the definitions; format them afterwards. With `--release` it also keeps a copy of
 * every schema that has changed since the last one, which later versions must be able to read.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  generatedFiles,
  historyFile,
  SCHEMA_FOLDER,
  schemaHistories,
  versionToKeep,
} from '@millrace/contracts';
import { pipelines } from '../index.ts';

const write = (file: string, text: string): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`${file}\n`);
};

const root = join(SCHEMA_FOLDER, '..');
for (const { path, text } of generatedFiles(pipelines)) write(join(root, path), text);

if (process.argv.includes('--release'))
  for (const history of schemaHistories(SCHEMA_FOLDER)) {
    const version = versionToKeep(history);
    if (version !== undefined)
      write(join(SCHEMA_FOLDER, historyFile(history.path, version)), history.current);
  }
