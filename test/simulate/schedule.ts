import type { SeededRandom } from '@millrace/pipelines';
import type { Clock } from '@millrace/telemetry';
import { Timers } from './timers.ts';

/** Whoever steps belong to: a process, or the broker's cluster. Its steps are held back while it is frozen. */
export interface Host {
  readonly name: string;
  state: 'alive' | 'frozen' | 'dead';
  /** What has come due while it was frozen. */
  readonly parked: Step[];
}

export interface Step {
  readonly host: Host;
  readonly what: string;
  readonly go: () => void;
}

/** Chance that a millisecond passes before a step although others wait. */
const TIME_PASSES = 1 / 12;
const DELAY_MS_MAX = 60;
/** Some are held back longer than a session lasts: what they bring meets a newer owner. */
const DELAY_MS_LONGEST = 900;
const LONG_DELAYS = 0.1;
const TRACE_STEPS = 80;
// A full turn of the real event loop: every promise that can go on has gone on by then. The product's own is replaced.
const realImmediate = globalThis.setImmediate;
export const settled = (): Promise<void> => new Promise(resolve => realImmediate(resolve));

export const hostOf = (name: string): Host => ({ name, state: 'alive', parked: [] });

/**
 * Everything that can happen next, and the dice that decide what does. A step is granted, everything that it sets off
 * runs until all promises rest, then the next one is granted. Time stands still meanwhile; it moves when nothing is
 * left to do, or now and then although there is.
 */
export class Schedule {
  readonly #dice: SeededRandom;
  readonly #ready: Step[] = [];
  readonly #timers = new Timers<Step>();
  readonly #labels = new Map<string, number>();
  readonly #trace: string[] = [];
  /** Steps of these are not worth telling: those who only look on. */
  readonly #silent: Host;
  #noted = 0;
  #hash = 0x811c9dc5;
  /** Chance that a step is held back for some milliseconds. */
  delays = 0;
  nowMs: number;
  /** Of that, what was leapt over. */
  leaptMs = 0;
  steps = 0;
  /** Whose step runs just now: what it leaves for later turns of its event loop is its own too. */
  current: Host;

  constructor(dice: SeededRandom, startMs: number, outside: Host) {
    this.#silent = outside;
    this.#dice = dice;
    this.nowMs = startMs;
    this.current = outside;
  }

  /** Of everything that was granted, in order: two runs with the same hash took the same course. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** The last steps, oldest first. */
  get trace(): readonly string[] {
    const at = this.#noted % TRACE_STEPS;
    return [...this.#trace.slice(at), ...this.#trace.slice(0, at)];
  }

  /** Sleeps and steps that wait. */
  get waiting(): readonly string[] {
    return [...this.#timers.values(), ...this.#ready].map(({ host, what }) => `${host.name} ${what}`);
  }

  add(step: Step): void {
    if (this.delays > 0 && this.#dice.chance(this.delays))
      this.#timers.add(this.nowMs + this.#delayMs(), step);
    else this.#ready.push(step);
  }

  #delayMs(): number {
    return this.#dice.integer(1, this.#dice.chance(LONG_DELAYS) ? DELAY_MS_LONGEST : DELAY_MS_MAX);
  }

  /** Goes on at a time, whatever the dice say about delays. */
  at(dueMs: number, step: Step): void {
    this.#timers.add(dueMs, step);
  }

  clockOf(host: Host): Clock {
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason as Error);
        const wake = (): void => {
          signal?.removeEventListener('abort', stop);
          resolve();
        };
        const timer = this.#timers.add(this.nowMs + Math.max(0, Math.ceil(ms)), {
          host,
          what: 'sleep',
          go: wake,
        });
        const stop = (): void => {
          // One that has come due already is granted all the same, to nobody.
          timer.isCancelled = true;
          reject(signal!.reason as Error);
        };
        signal?.addEventListener('abort', stop, { once: true });
      });
    return { now: () => this.nowMs, sleep };
  }

  freeze(host: Host): void {
    host.state = 'frozen';
  }

  thaw(host: Host): void {
    host.state = 'alive';
    this.#ready.push(...host.parked.splice(0));
  }

  /** Nothing of it goes on. What it has sent may still arrive. */
  kill(host: Host): void {
    host.state = 'dead';
    host.parked.length = 0;
    this.#timers.cancel(step => step.host === host);
  }

  /** Time in which nothing is done: as where all machines are suspended. What came due meanwhile is late. */
  leap(ms: number): void {
    this.nowMs += ms;
    this.leaptMs += ms;
  }

  /** Grants one step. False: there is nothing left to do. */
  async grant(): Promise<boolean> {
    for (;;) {
      const step = this.#next();
      if (step === undefined) return false;
      if (step.host.state === 'dead') continue;
      if (step.host.state === 'frozen') {
        step.host.parked.push(step);
        continue;
      }
      this.#note(step);
      this.current = step.host;
      step.go();
      await settled();
      return true;
    }
  }

  #next(): Step | undefined {
    const ready = this.#ready;
    if (ready.length === 0) {
      const due = this.#timers.nextMs();
      if (due === undefined) return undefined;
      this.nowMs = Math.max(this.nowMs, due);
      this.#timers.due(this.nowMs, ready);
    } else if (this.#dice.chance(TIME_PASSES)) {
      this.nowMs++;
      this.#timers.due(this.nowMs, ready);
    }
    const last = ready.length - 1;
    const at = last === 0 ? 0 : this.#dice.integer(0, last);
    const step = ready[at];
    ready[at] = ready[last]!;
    ready.length = Math.max(0, last);
    return step;
  }

  #note({ host, what }: Step): void {
    const label = `${host.name} ${what}`;
    let number = this.#labels.get(label);
    if (number === undefined) this.#labels.set(label, (number = this.#labels.size + 1));
    this.#hash = Math.imul(this.#hash ^ number, 0x01000193) ^ Math.trunc(this.nowMs % 65_521);
    this.steps++;
    if (host !== this.#silent) this.#trace[this.#noted++ % TRACE_STEPS] = `${this.nowMs} ${label}`;
  }
}
