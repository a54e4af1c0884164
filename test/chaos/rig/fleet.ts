/** The services as processes, several of each, under a supervisor that starts again what ends. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, startGuarded } from '@millrace/localstack';
import { SERVICE_START } from '@millrace/runtime';

export type ServiceName = 'ingest' | 'feature' | 'inference' | 'sink';

export interface FleetOptions {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Protections taken out of every process, by the names of `test/mutants`. */
  readonly mutants: readonly string[];
  readonly token: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface Member {
  readonly name: string;
  readonly service: ServiceName;
  child: Child;
  /** Of its HTTP server; changes when it is started again. */
  port: number;
  stopped: boolean;
  /** Whether its end is wanted, and nobody is to start it again. */
  resting: boolean;
}

export const API_KEY = 'a-key-of-the-fault-suite';
const ROOT = join(import.meta.dirname, '../../..');
const REGISTER = join(ROOT, 'test/mutants/register.ts');
const READY_MS_MAX = 120_000;
const POLL_MS = 100;
const SLEEPERS_EVERY_MS = 500;
const RESTART_MS = 300;
/** Longer than a session lasts: whoever stands still that long has been followed by another. */
const ASLEEP_MS_MAX = 14_000;
const STOP_GRACE_S = 20;
const TAIL_LINES = 5;

export class Fleet {
  readonly members: Member[] = [];
  /** Ends that nobody ordered, by service: a process that gave up, or was killed by a failpoint. */
  readonly ownEnds: { readonly name: string; readonly code: number; readonly atMs: number }[] = [];
  readonly #options: FleetOptions;
  readonly #mutants: string[];
  readonly #ordered = new Set<Child>();
  readonly #starting = new Map<Member, Promise<void>>();
  /** Processes that stood still by a failpoint, and were woken; from when they did so. */
  readonly awoken: { readonly name: string; readonly atMs: number }[] = [];
  #over = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#mutants = [...options.mutants];
    if (options.mutants.length > 0) void this.#wakeSleepers();
  }

  async start(counts: Readonly<Partial<Record<ServiceName, number>>>): Promise<void> {
    const wanted = Object.entries(counts) as [ServiceName, number][];
    await Promise.all(
      wanted.flatMap(([service, count]) => Array.from({ length: count }, () => this.add(service))),
    );
  }

  /** One more of a service. */
  async add(service: ServiceName): Promise<Member> {
    const number = this.members.filter(member => member.service === service).length + 1;
    const name = `${service}-${number}`;
    // Its place is taken before it is there, so that two never get one number.
    const member: Member = {
      name,
      service,
      child: undefined as never,
      port: 0,
      stopped: false,
      resting: false,
    };
    this.members.push(member);
    await this.#run(member);
    return member;
  }

  of(service: ServiceName): readonly Member[] {
    return this.members.filter(member => member.service === service && !member.resting);
  }

  /** Those that run, and are not stopped by a signal. */
  awake(service?: ServiceName): readonly Member[] {
    return this.members.filter(
      one =>
        !one.resting && !one.stopped && one.port > 0 && (service === undefined || one.service === service),
    );
  }

  /** Ends it without mercy; the supervisor starts another in its place. */
  kill(member: Member): void {
    this.#ordered.add(member.child);
    if (this.#lives(member)) process.kill(member.child.pid, 'SIGKILL');
  }

  /** Asks it to end and waits; the supervisor starts another in its place, unless it is to rest. */
  async terminate(member: Member, rest = false): Promise<void> {
    member.resting = rest;
    this.#ordered.add(member.child);
    const { child } = member;
    if (this.#lives(member)) process.kill(child.pid, 'SIGTERM');
    await Promise.race([child.ended, sleep(STOP_GRACE_S * 1000)]);
    if (!rest) return;
    // Another may have been on its way in its place.
    await this.#starting.get(member)?.catch(() => undefined);
    if (member.child !== child) await this.terminate(member, true);
  }

  /** Lines of all processes that had its name, in their order. */
  log({ name }: Member): readonly string[] {
    const file = join(this.#options.directory, 'logs', `${name}.log`);
    return readFileSync(file, 'utf8').trimEnd().split('\n');
  }

  /** Takes something out of, or puts it into, every process that is started from now on, by its name in `test/mutants`. */
  plant(mutant: string): void {
    this.#mutants.push(mutant);
  }

  #lives({ child }: Member): boolean {
    try {
      return process.kill(child.pid, 0);
    } catch {
      return false; // It has ended by itself.
    }
  }

  /** @returns whether it was there to be stopped */
  stop(member: Member): boolean {
    member.stopped = true;
    return process.kill(member.child.pid, 'SIGSTOP');
  }

  resume(member: Member): void {
    if (member.stopped) process.kill(member.child.pid, 'SIGCONT');
    member.stopped = false;
  }

  async wake(member: Member): Promise<void> {
    member.resting = false;
    await this.#run(member);
  }

  /** Wakes processes that a failpoint has stopped, once others have taken their place. */
  async #wakeSleepers(): Promise<void> {
    const sinceMs = new Map<Child, number>();
    while (!this.#over && !this.#options.signal.aborted) {
      await sleep(SLEEPERS_EVERY_MS);
      for (const { child, stopped, name } of this.members) {
        if (child === undefined || stopped || !isStandingStill(child.pid)) {
          sinceMs.delete(child);
          continue;
        }
        const since = sinceMs.get(child) ?? performance.now();
        sinceMs.set(child, since);
        if (performance.now() - since < ASLEEP_MS_MAX) continue;
        this.#options.say(`  ${name} stood still for ${ASLEEP_MS_MAX / 1000} s, and wakes`);
        this.awoken.push({ name, atMs: Date.now() - ASLEEP_MS_MAX });
        process.kill(child.pid, 'SIGCONT');
      }
    }
  }

  async close(): Promise<void> {
    this.#over = true;
    await Promise.allSettled(this.#starting.values());
    await Promise.all(
      this.members.map(async member => {
        if (member.child === undefined) return;
        this.resume(member);
        await member.child.stop();
      }),
    );
  }

  async #run(member: Member): Promise<void> {
    const started = this.#start(member);
    this.#starting.set(member, started);
    try {
      await started;
    } finally {
      this.#starting.delete(member);
    }
  }

  async #start(member: Member): Promise<void> {
    const { directory, environment, token, signal } = this.#options;
    const mutants = this.#mutants;
    const readyFile = join(directory, `${member.name}.ready.json`);
    const logFile = join(directory, 'logs', `${member.name}.log`);
    rmSync(readyFile, { force: true });
    member.port = 0;
    member.child = await startGuarded({
      name: member.name,
      command: process.execPath,
      args: [
        ...SERVICE_START.args,
        ...(mutants.length > 0 ? ['--import', REGISTER] : []),
        join(ROOT, 'services', member.service, 'src/main.ts'),
      ],
      logFile,
      workingDirectory: directory,
      environment: {
        ...environment,
        ...SERVICE_START.environment,
        ...(mutants.length > 0 ? { MILLRACE_MUTANT: mutants.join(',') } : {}),
        // The first of the feature processes keeps its state on disk, the others in memory.
        ...(member.name === 'feature-1' ? { MILLRACE_STATE_DIR: join(directory, 'state') } : {}),
        HOST: '127.0.0.1',
        PORT: '0',
        MILLRACE_READY_FILE: readyFile,
      },
      stopSignal: 'TERM',
      stopGraceS: STOP_GRACE_S,
      token,
    });
    this.#watch(member, member.child);
    const end = performance.now() + READY_MS_MAX;
    const { child } = member;
    const life = { over: false };
    void child.ended.then(() => (life.over = true));
    // One that ended, or was killed while it started, has another in its place soon.
    while (!life.over && !this.#over) {
      if (performance.now() > end)
        throw new Error(`${member.name} is not ready; the end of its log:\n${tail(logFile)}`);
      const port = portIn(readyFile);
      if (port !== undefined && (await isReady(port))) {
        member.port = port;
        return;
      }
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  #watch(member: Member, child: Child): void {
    void child.ended.then(async code => {
      if (this.#over || this.#options.signal.aborted || member.child !== child) return;
      member.stopped = false;
      member.port = 0;
      if (!this.#ordered.delete(child)) {
        this.ownEnds.push({ name: member.name, code, atMs: Date.now() });
        this.#options.say(`${member.name} ended by itself (${code})`);
      }
      if (member.resting) return;
      await sleep(RESTART_MS);
      if (!this.#over && !member.resting) await this.#run(member);
    }).catch((error: unknown) => this.#options.say((error as Error).message)); // prettier-ignore
  }
}

const portIn = (readyFile: string): number | undefined => {
  try {
    return (JSON.parse(readFileSync(readyFile, 'utf8')) as { port: number }).port;
  } catch {
    // It is not written yet, or only half of it.
    return undefined;
  }
};

const isReady = async (port: number): Promise<boolean> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    // Nothing listens yet.
    return false;
  }
};

/** Whether a signal has stopped it, by the state that Linux tells of; elsewhere nobody stands still by a failpoint. */
const isStandingStill = (pid: number): boolean => {
  try {
    return /^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // It has ended, or there is no such file system.
    return false;
  }
};

const tail = (file: string): string =>
  readFileSync(file, 'utf8').trim().split('\n').slice(-TAIL_LINES).join('\n');
