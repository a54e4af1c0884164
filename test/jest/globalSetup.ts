/** Starts the stack that all stack tests share, or notes why there is none. */
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseWay, startStack, type Stack } from '@millrace/localstack';
import { warmUp } from './warmUp.ts';

export interface SharedStack {
  readonly stack: Stack;
  readonly directory: string;
}

declare global {
  var millraceTestStack: SharedStack | undefined;
}

export default async function globalSetup(): Promise<void> {
  if (process.env['MILLRACE_TEST_KAFKA']) return;
  const { way, reasons } = await chooseWay(process.env);
  if (way === undefined) {
    process.env['MILLRACE_TEST_NO_STACK'] = reasons.join('; ');
    return;
  }
  const directory = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  // The user that PostgreSQL runs as must reach it.
  await chmod(directory, 0o755);
  const stack = await startStack({
    ways: [way],
    directory,
    environment: process.env,
    warmUp,
    writeArchive: true,
    onProgress: line => process.stderr.write(`stack: ${line}\n`),
  });
  globalThis.millraceTestStack = { stack, directory };
  process.env['MILLRACE_TEST_KAFKA'] = stack.kafka;
  process.env['MILLRACE_TEST_REGISTRY'] = stack.registry;
  process.env['MILLRACE_TEST_POSTGRES'] = stack.postgres;
}
