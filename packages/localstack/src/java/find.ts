import { join } from 'node:path';
import { runCommand } from '../children/command.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const JAVA_VERSION_MIN = 17;
const ASK_TIMEOUT_MS = 10_000;

export interface Java {
  readonly command: string;
  /** Such as `17.0.15+6-Debian-1deb12u1`: class-data archives fit one build only. */
  readonly version: string;
}

/** The Java to use, or the reason why there is none. */
export async function findJava(environment: Environment): Promise<Java | string> {
  const home = environment['JAVA_HOME'];
  const command = home ? join(home, 'bin', 'java') : 'java';
  const { code, output } = await runCommand(command, ['-version'], {
    environment,
    timeoutMs: ASK_TIMEOUT_MS,
  });
  if (code !== 0) return `no Java: ${command} does not run`;
  const version = javaVersion(output);
  if (version === undefined) return `no Java: ${command} -version says nothing we understand`;
  if (Number.parseInt(version, 10) < JAVA_VERSION_MIN) {
    return `no Java ${JAVA_VERSION_MIN} or newer: ${command} is ${version}`;
  }
  return { command, version };
}

/** The full version from the output of `java -version`: the runtime's build where it is named. */
export function javaVersion(output: string): string | undefined {
  const build = /\(build (\d[^\s,)]*)/.exec(output)?.[1];
  return build ?? /version "(\d[^"]*)"/.exec(output)?.[1];
}

/** Undefined when Maven runs, else the reason why it does not. */
export async function mavenMissing(environment: Environment): Promise<string | undefined> {
  const { code } = await runCommand('mvn', ['-version'], { environment, timeoutMs: ASK_TIMEOUT_MS });
  return code === 0 ? undefined : 'no Maven: mvn does not run';
}
