import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../cache/folder.ts';
import type { Child } from '../children/guard.ts';
import type { Java } from './find.ts';

/**
 * `startsFast` leaves out the optimising compiler and reads classes from an archive: right for tests and the demo.
 * `runsFast` keeps the optimising compiler: right where throughput is measured.
 */
export type Tuning = 'startsFast' | 'runsFast';

export interface JavaStart {
  readonly java: Java;
  readonly cache: string;
  readonly tuning: Tuning;
  /** Write the class-data archive when the program ends, if there is none yet. That stop then takes up to 10 s. */
  readonly writeArchive: boolean;
}

export interface JavaFlags {
  readonly flags: readonly string[];
  /** An archive that this run writes at its end; to be renamed to `final` once it is complete. */
  readonly archive?: { readonly draft: string; readonly final: string };
}

const CODE_OF_KILLED = 137;

export async function javaFlags(program: string, start: JavaStart): Promise<JavaFlags> {
  const flags = ['-Xss512k', '-XX:+UseSerialGC'];
  if (start.tuning === 'startsFast') flags.push('-XX:TieredStopAtLevel=1');
  const final = join(start.cache, `${program}-${fileName(start.java.version)}.jsa`);
  if (await exists(final)) {
    return { flags: [...flags, `-XX:SharedArchiveFile=${final}`, '-Xshare:auto'] };
  }
  if (!start.writeArchive) return { flags };
  const draft = `${final}.${process.pid}.draft`;
  return { flags: [...flags, `-XX:ArchiveClassesAtExit=${draft}`], archive: { draft, final } };
}

function fileName(version: string): string {
  return version.replaceAll(/[^\w.+-]/g, '_');
}

/** The archive takes its name when the program has ended by itself, hence is complete. */
export function keepingArchive(child: Child, archive: { draft: string; final: string }): Child {
  const stop = async () => {
    await child.stop();
    const complete = (await child.ended) !== CODE_OF_KILLED && (await exists(archive.draft));
    if (complete) await rename(archive.draft, archive.final);
    else await rm(archive.draft, { force: true });
  };
  let stopped: Promise<void> | undefined;
  return { ...child, stop: () => (stopped ??= stop()) };
}
