/** Stops what globalSetup started; it runs in the same process. */
import { rm } from 'node:fs/promises';

export default async function globalTeardown(): Promise<void> {
  const shared = globalThis.millraceTestStack;
  if (!shared) return;
  globalThis.millraceTestStack = undefined;
  await shared.stack.stop();
  await rm(shared.directory, { recursive: true, force: true });
}
