/** How much memory each service takes, asked of the operating system while a run lasts, and of the process what it is. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { figuresOf } from './figures.ts';
import type { Fleet, Member, ServiceName } from './fleet.ts';

const EVERY_MS = 2_000;
/** A maximum that is so much above the last one is looked into. */
const STEP = 1.1;
const MIB = 1 << 20;
const ask = promisify(execFile);

export class Memory {
  /** The most that one process of a service had, bytes. */
  readonly most = new Map<ServiceName, number>();
  /** What it was when it was about that much, in words. */
  readonly about = new Map<ServiceName, string>();
  readonly #looked = new Map<ServiceName, number>();
  readonly #fleet: Fleet;
  readonly #timer: NodeJS.Timeout;

  constructor(fleet: Fleet, say: (line: string) => void) {
    this.#fleet = fleet;
    const failed = (error: Error): void => say(`memory was not measured: ${error.message}`);
    this.#timer = setInterval(() => void this.#sample().catch(failed), EVERY_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #sample(): Promise<void> {
    const members = this.#fleet.awake();
    if (members.length === 0) return;
    try {
      const { stdout } = await ask('ps', [
        '-o',
        'pid=,rss=',
        '-p',
        members.map(one => one.child.pid).join(','),
      ]);
      for (const line of stdout.trim().split('\n')) {
        const [pid, kilobytes] = line.trim().split(/\s+/).map(Number) as [number, number];
        const member = members.find(({ child }) => child.pid === pid);
        if (member !== undefined) await this.#take(member, kilobytes * 1024);
      }
    } catch (error) {
      // `ps` says 1 when none of them is there at the moment: nothing to measure.
      if ((error as { code?: unknown }).code !== 1) throw error;
    }
  }

  async #take(member: Member, bytes: number): Promise<void> {
    const { service } = member;
    this.most.set(service, Math.max(this.most.get(service) ?? 0, bytes));
    if (bytes < STEP * (this.#looked.get(service) ?? 0)) return;
    this.#looked.set(service, bytes);
    const told = await heapOf(member).catch(() => undefined); // It may have been killed meanwhile.
    if (told !== undefined) this.about.set(service, `${member.name}, at ${Math.round(bytes / MIB)} MiB: ${told}`);
  }
} // prettier-ignore

const heapOf = async (member: Member): Promise<string> => {
  const only = { awake: () => [member] };
  const figures = ['heap_size_used', 'heap_size_total', 'external_memory'].map(async name => {
    const bytes = (await figuresOf(only, `nodejs_${name}_bytes`)).get(member.name) ?? 0;
    return `${name.replaceAll('_', ' ')} ${Math.round(bytes / MIB)}`;
  });
  return [...(await Promise.all(figures)), await anonymousOf(member.child.pid)].join(', ');
};

/** What no file backs: pages of a state's file are in the resident set as long as nobody else needs the room. */
const anonymousOf = async (pid: number): Promise<string> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''); // Not every system has it.
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  return `anonymous ${kilobytes === undefined ? 'unknown' : Math.round(Number(kilobytes) / 1024)}`;
};
