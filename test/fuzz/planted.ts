/** Targets with one defect each, so that it can be seen that the judges see it. */
import type { Target } from './target.ts';

const planted = (name: string, run: Target['run']) => async (): Promise<Target> => ({
  name,
  samples: [Buffer.from('sample')],
  bytesMax: 64,
  run,
});

const kept: unknown[] = [];
let calls = 0;

export const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  none: planted('none', () => undefined),
  rejects: planted('rejects', async input => {
    if (input.includes(0xff)) throw new TypeError('it is at fault');
  }),
  stalls: planted('stalls', input => {
    if (!input.includes(0xff)) return;
    const spent = (): number => process.threadCpuUsage().user + process.threadCpuUsage().system;
    const before = spent();
    while (spent() - before < 80_000);
  }),
  // Slow by the clock, and not by the processor: no fault of the target.
  waits: planted('waits', async () => {
    if (++calls % 100 === 0) await new Promise(resolve => setTimeout(resolve, 80));
  }),
  leaks: planted('leaks', () => void kept.push(Array.from({ length: 20_000 }, () => calls++))),
  fills: planted('fills', input => {
    if (input.includes(0xff)) for (;;) kept.push(Array.from({ length: 100_000 }, () => calls++));
  }),
  hangs: planted('hangs', input => {
    while (input.includes(0xff));
  }),
};
