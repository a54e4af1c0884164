import type { Evidence } from './evidence.ts';
import type { Ideal } from './ideal.ts';

const APPLIED = '__applied/';
const WRONG_MAX = 5;
const show = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? 'nothing' : Buffer.from(bytes).toString('hex');

/** The changelog holds the state of the fold, to the last byte, and has applied what the group has committed. */
export function judgeState(evidence: Evidence, ideal: Ideal): readonly string[] {
  const wrong: string[] = [];
  evidence.changelog.forEach((table, partition) => {
    const right = ideal.state[partition]!;
    const keys = new Set([...table.keys(), ...right.keys()].filter(key => /^(view|newest)\0/.test(key)));
    for (const key of keys) {
      const [found, wanted] = [show(table.get(key)), show(right.get(key))];
      if (found !== wanted)
        wrong.push(`state equals a fold: ${JSON.stringify(key)} of ${partition} is ${found}, not ${wanted}`);
    }
    for (const { topic, partition: of, offset } of evidence.committed) {
      if (of !== partition) continue;
      const bytes = table.get(APPLIED + topic);
      const applied = bytes === undefined ? 'nothing' : Buffer.from(bytes).toString();
      if (applied !== String(offset))
        wrong.push(`committed is applied: ${topic}-${partition} has committed ${offset}, applied ${applied}`);
    }
  });
  return wrong.slice(0, WRONG_MAX);
}
