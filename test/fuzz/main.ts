/** `pnpm fuzz`: hostile bytes for whatever takes bytes from outside, one target after the other. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Ran } from './judge.ts';
import { fuzzInChild } from './process.ts';
import { TARGETS } from './targets.ts';

const USAGE = `pnpm fuzz [--target NAME] [--minutes M] [--seed S] [--from INDEX] [--inputs N] [--output table|json]
  --target   one of ${Object.keys(TARGETS).join(', ')}; all without it
  --minutes  for each target, default 1
  --seed     default 1; the same seed gives the same inputs
  --from     begin with this input, to see a finding again (with --inputs 1)`;

const OPTIONS = {
  target: { type: 'string', multiple: true },
  minutes: { type: 'string', default: '1' },
  seed: { type: 'string', default: '1' },
  from: { type: 'string', default: '0' },
  inputs: { type: 'string' },
  output: { type: 'string', default: 'table' },
  help: { type: 'boolean', default: false },
} as const;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const out = (line: string): void => void process.stdout.write(`${line}\n`);

const row = (name: string, { inputs, megabytes, cpuMsWorst, growthMb, found }: Ran): string =>
  [
    name.padEnd(12),
    String(inputs).padStart(10),
    megabytes.toFixed(0).padStart(8),
    cpuMsWorst.toFixed(0).padStart(8),
    growthMb.toFixed(1).padStart(8),
    found.length === 0 ? 'nothing' : found.map(({ index, what }) => `${index}: ${what}`).join('\n    '),
  ].join('  ');

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: OPTIONS, allowPositionals: false });
  const names = values.target ?? Object.keys(TARGETS);
  const numbers = [values.minutes, values.seed, values.from, values.inputs ?? '1'].map(Number);
  const fits = names.every(name => TARGETS[name] !== undefined) && numbers.every(one => one >= 0);
  if (values.help || !fits) {
    say(USAGE);
    return values.help ? 0 : 2;
  }
  const [minutes, seed, from] = numbers as [number, number, number];
  const extent = {
    seed,
    from,
    ...(values.inputs === undefined ? { ms: minutes * 60_000 } : { inputs: Number(values.inputs) }),
  };
  const results: Record<string, Ran> = {};
  const isTable = values.output === 'table';
  if (isTable) out(`${'TARGET'.padEnd(12)}      INPUTS        MB   CPU MS  HEAP MB  FOUND`);
  for (const name of names) {
    const ran = await fuzzInChild(join(import.meta.dirname, 'targets.ts'), name, extent);
    results[name] = ran;
    if (isTable) out(row(name, ran));
  }
  if (!isTable) out(JSON.stringify({ seed, results }));
  return Object.values(results).some(({ found }) => found.length > 0) ? 1 : 0;
};

try {
  process.exitCode = await main();
} catch (error) {
  say(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 2;
}
