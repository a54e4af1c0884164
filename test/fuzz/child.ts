/** One target in a process of its own: its heap has a cap, and whoever started it sees when it dies or hangs. */
import type { Extent } from './judge.ts';
import { runTarget } from './judge.ts';
import type { Target } from './target.ts';

const [module, name, extent] = process.argv.slice(2) as [string, string, string];
const { TARGETS } = (await import(module)) as {
  readonly TARGETS: Readonly<Record<string, () => Promise<Target>>>;
};
const target = await TARGETS[name]!();
const ran = await runTarget(target, JSON.parse(extent) as Extent, inputs => process.send!({ inputs }));
await target.close?.();
process.send!({ ran }, undefined, undefined, () => process.exit(0));
