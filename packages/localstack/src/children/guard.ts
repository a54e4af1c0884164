import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/**
 * Runs a program under a small `sh` that outlives us for a moment. The guard holds the read end of a pipe whose other
 * end only we hold: when we die, by whatever cause, the pipe ends and the guard stops the program. It runs in its own
 * session, so that Ctrl-C in a terminal reaches us alone and we decide the order in which things stop.
 *
 * Words on the pipe: `keep` makes the guard stop listening, so that the program outlives us. TERM to the guard stops
 * the program with its own stop signal, and kills it when the grace is over. A shell starts its background programs with
 * INT ignored: a program with that stop signal must set a handler of its own, as PostgreSQL does.
 */
const GUARD = `
trap '' PIPE
signal=$1; grace_ticks=$2; shift 3
exec 3<&0
"$@" </dev/null >&2 3<&- &
child=$!
stop() {
  trap '' TERM INT HUP
  kill -s "$signal" "$child" 2>/dev/null
  tick=0
  while kill -0 "$child" 2>/dev/null && [ "$tick" -lt "$grace_ticks" ]; do sleep 0.05; tick=$((tick+1)); done
  kill -KILL "$child" 2>/dev/null
  wait "$child" 2>/dev/null; stopped_with=$?
}
trap stop TERM INT HUP
# Whoever has read this may stop us: not before we would hear it.
echo "$child"
exec >/dev/null
guard=$$
( while read -r word <&3; do [ "$word" = keep ] && exit 0; done; kill -TERM "$guard" 2>/dev/null ) &
watcher=$!
exec 3<&-
wait "$child" 2>/dev/null; code=$?
kill "$watcher" 2>/dev/null
exit "\${stopped_with:-$code}"
`;

const TICKS_PER_SECOND = 20;

export interface Program {
  /** Short name for messages, such as `kafka-1`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** File that takes what the program writes; it is appended to. */
  readonly logFile: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How the program wants to be asked to end. */
  readonly stopSignal: 'TERM' | 'INT';
  /** Seconds between that request and a kill. */
  readonly stopGraceS: number;
  /** A word of our own on the guard's command line, by which another process can tell that a pid is still ours. */
  readonly token: string;
  /** Run as this user: the guard and the program with it. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly guardPid: number;
  readonly logFile: string;
  /** Resolves when the program has ended, with its exit code (128 + signal number after a signal). Never rejects. */
  readonly ended: Promise<number>;
  /** Asks the program to end and waits for it; safe twice. */
  stop(): Promise<void>;
  /** Lets the program outlive this process. */
  release(): Promise<void>;
}

export async function startGuarded(program: Program): Promise<Child> {
  const log = openSync(program.logFile, 'a');
  const ticks = String(Math.ceil(program.stopGraceS * TICKS_PER_SECOND));
  const args = [program.stopSignal, ticks, program.token, program.command, ...program.args];
  const guard = spawn('/bin/sh', ['-c', GUARD, 'millrace-guard', ...args], {
    cwd: program.workingDirectory,
    env: { ...program.environment },
    detached: true,
    stdio: ['pipe', 'pipe', log],
    ...program.user,
  });
  closeSync(log);
  const input = guard.stdin!;
  const output = guard.stdout!;
  const ended = new Promise<number>(resolve => {
    guard.once('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1)));
    guard.once('error', () => resolve(127));
  });
  // A pipe to a guard that has ended breaks; that the program ended is reported by `ended`.
  input.on('error', () => input.destroy());
  const pid = await childPid(program, output, ended);
  return {
    name: program.name,
    pid,
    guardPid: guard.pid!,
    logFile: program.logFile,
    ended,
    async stop() {
      // A released guard no longer keeps this process alive, which is to see its end.
      guard.ref();
      guard.kill('SIGTERM');
      await ended;
      input.destroy();
    },
    async release() {
      await sayKeep(input);
      guard.unref();
    },
  };
}

async function childPid(program: Program, output: Readable, ended: Promise<number>): Promise<number> {
  let text = '';
  output.setEncoding('utf8');
  output.on('data', (chunk: string) => {
    text += chunk;
  });
  const closed = once(output, 'close');
  await Promise.race([closed, ended]);
  const pid = Number.parseInt(text, 10);
  if (!Number.isInteger(pid)) throw new Error(`${program.name} could not be started: no guard answered`);
  return pid;
}

async function sayKeep(pipe: Writable): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    pipe.end('keep\n', (error?: Error | null) => (error ? reject(error) : resolve()));
  });
}
