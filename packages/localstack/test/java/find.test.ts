import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findJava, javaVersion } from '../../src/java/find.ts';

test('the build of the runtime is the version', () => {
  const debian = `openjdk version "17.0.15" 2025-04-15
OpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)
OpenJDK 64-Bit Server VM (build 17.0.15+6-Debian-1deb12u1, mixed mode, sharing)`;
  expect(javaVersion(debian)).toBe('17.0.15+6-Debian-1deb12u1');
  expect(javaVersion('openjdk version "21" 2023-09-19')).toBe('21');
  expect(javaVersion('command not found')).toBeUndefined();
});

test('an old Java is refused with its version', async () => {
  const home = await mkdtemp(join(tmpdir(), 'millrace-java-'));
  try {
    await mkdir(join(home, 'bin'));
    const command = join(home, 'bin/java');
    await writeFile(command, '#!/bin/sh\necho \'openjdk version "11.0.2" 2019-01-15\' >&2\n');
    await chmod(command, 0o755);
    const found = await findJava({ JAVA_HOME: home, PATH: '/usr/bin:/bin' });
    expect(found).toBe(`no Java 17 or newer: ${command} is 11.0.2`);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
