/** How much memory each service takes, asked of the operating system while a run lasts. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Fleet, ServiceName } from './fleet.ts';

const EVERY_MS = 2_000;
const ask = promisify(execFile);

export class Memory {
  /** The most that one process of a service had, bytes. */
  readonly most = new Map<ServiceName, number>();
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
        const service = members.find(({ child }) => child.pid === pid)?.service;
        if (service !== undefined)
          this.most.set(service, Math.max(this.most.get(service) ?? 0, kilobytes * 1024));
      }
    } catch (error) {
      // `ps` says 1 when none of them is there at the moment: nothing to measure.
      if ((error as { code?: unknown }).code !== 1) throw error;
    }
  }
}
