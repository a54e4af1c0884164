import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type CpuProfile, partsOf, profileTable } from '../src/profile.ts';
import { ROOT } from '../src/world/service.ts';

const node = (id: number, functionName: string, url = '') => ({ id, callFrame: { functionName, url } });

/** 1,000 µs: half of them idle; of the rest 300 in a package of ours, 100 in a dependency, 60 collecting, 40 in Node. */
const profile: CpuProfile = {
  nodes: [
    node(1, '(idle)'),
    node(2, 'fold', `file://${ROOT}/packages/features/src/set/stage.ts`),
    node(3, 'fold', `file://${ROOT}/packages/features/src/windows/columns.ts`),
    node(4, 'encode', `file://${ROOT}/node_modules/.pnpm/avsc@5.7.7/node_modules/avsc/lib/types.js`),
    node(5, '(garbage collector)'),
    node(6, 'writeGeneric', 'node:internal/stream_base_commons'),
  ],
  samples: [1, 2, 3, 4, 5, 6, 1],
  timeDeltas: [400, 100, 200, 100, 60, 40, 100],
};

test('time is told by room, without what was idle', () => {
  const { rooms, functions } = partsOf(profile);
  expect(rooms).toEqual([
    { name: 'packages/features', share: 0.6 },
    { name: 'avsc', share: 0.2 },
    { name: 'garbage collector, on this thread', share: 0.12 },
    { name: 'Node', share: 0.08 },
  ]);
  // Functions of one name and room are one line; what is no function is none.
  expect(functions.map(({ name }) => name)).toEqual([
    'fold (packages/features)',
    'encode (avsc)',
    'writeGeneric (Node)',
  ]);
});

test('the longest profile of a folder is the one that is told', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-profile-'));
  try {
    expect(profileTable(directory)).toEqual([]);
    writeFileSync(join(directory, 'a.cpuprofile'), JSON.stringify(profile));
    const short = { ...profile, samples: [6], timeDeltas: [9] };
    writeFileSync(join(directory, 'b.cpuprofile'), JSON.stringify(short));
    expect(profileTable(directory)).toContain('  60.0 %  packages/features');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
