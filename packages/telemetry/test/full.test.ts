import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { testUnless } from '../../../test/jest/skip.ts';

const FULL = '/dev/full';

testUnless(existsSync(FULL) ? undefined : `there is no ${FULL} here`)(
  'a disk that is full behind the log ends nobody',
  () => {
    const full = openSync(FULL, 'w');
    try {
      const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'full.ts')], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, 'went on']);
    } finally {
      closeSync(full);
    }
  },
);
