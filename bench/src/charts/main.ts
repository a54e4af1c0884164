/** `node bench/src/charts/main.ts [FOLDER]`: beside each result of `bench peers` (`*.json`), its charts. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Charted, peersCharts } from './peers.ts';

const folder = process.argv[2] ?? join(import.meta.dirname, '../../../docs/results');

for (const name of readdirSync(folder).filter(file => file.endsWith('.json'))) {
  const result = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Charted;
  for (const [kind, svg] of Object.entries(peersCharts(result)))
    writeFileSync(join(folder, `${name.slice(0, -'.json'.length)}-${kind}.svg`), svg);
}
