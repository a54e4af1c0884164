import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { historyFile, type SchemaHistory } from '../generate/history.ts';

const ENDING = '.avsc';

const filesUnder = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'history' ? [] : filesUnder(path);
    return path.endsWith(ENDING) ? [path] : [];
  });

const keptOf = (folder: string, path: string): readonly string[] => {
  const kept: string[] = [];
  for (;;) {
    const file = join(folder, historyFile(path, kept.length + 1));
    if (!existsSync(file)) return kept;
    kept.push(readFileSync(file, 'utf8'));
  }
};

/** Every schema under a folder with the versions of it that are kept. */
export const schemaHistories = (folder: string): readonly SchemaHistory[] =>
  filesUnder(folder).map(file => {
    const path = relative(folder, file).replaceAll('\\', '/').slice(0, -ENDING.length);
    return { path, current: readFileSync(file, 'utf8'), kept: keptOf(folder, path) };
  });
