/** Stops what globalSetup started; it runs in the same process. */
import { rm } from 'node:fs/promises';

/** `run.ts` ends a process that does not end, much later: by then it is told here what is waited for. */
const TELL_AFTER_MS = 20_000;

let doing = 'stopping the stack';

/** The timer itself keeps nothing waiting. */
const tellLater = (): void => {
  const tell = (): boolean =>
    process.stderr.write(`stack: still ${doing}; open: ${process.getActiveResourcesInfo().join(', ')}\n`);
  setTimeout(tell, TELL_AFTER_MS).unref();
};

export default async function globalTeardown(): Promise<void> {
  tellLater();
  const shared = globalThis.millraceTestStack;
  if (shared !== undefined) {
    globalThis.millraceTestStack = undefined;
    await shared.stack.stop();
    doing = 'removing its folder';
    await rm(shared.directory, { recursive: true, force: true });
  }
  doing = 'running, though all is done';
}
