/** `millrace` as a process of its own, against a stack whose addresses are given. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../../services/cli/src/main.ts');

export interface Commands {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly addresses: { readonly kafka: string; readonly registry: string };
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Ended {
  readonly code: number | null;
  /** The last line on stdout, which is JSON where it was asked for. */
  readonly last: string;
  readonly seconds: number;
}

/** @param whileRunning may kill it; it is settled before the end is told */
export const millrace = async (
  { environment, addresses, say, signal }: Commands,
  line: string,
  whileRunning: (kill: () => void, ended: () => boolean) => Promise<void> = async () => undefined,
): Promise<Ended> => {
  const startMs = performance.now();
  const { kafka: KAFKA_BOOTSTRAP_SERVERS, registry: SCHEMA_REGISTRY_URL } = addresses;
  const child = spawn(process.execPath, [MAIN, ...line.split(' ')], {
    env: { ...environment, KAFKA_BOOTSTRAP_SERVERS, SCHEMA_REGISTRY_URL },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let out = '';
  let over = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => say(text.trimEnd()));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => {
      over = true;
      resolve(code);
    });
  });
  const kill = (): void => void child.kill('SIGKILL');
  const [code] = await Promise.all([ended, whileRunning(kill, () => over)]);
  const last = out.trimEnd().split('\n').at(-1) ?? '';
  return { code, last, seconds: Number(((performance.now() - startMs) / 1000).toFixed(1)) };
};
