import type { Clock } from '@millrace/telemetry';

/** Said to the timer that is still running; without it an abort would make a DOMException. */
const OVER = new Error('nothing is committed any more');

/** Marks at which a commit waits no longer. They may move from one commit to the next. */
export interface CommitMarks {
  readonly recordsMark: number;
  readonly bytesMark: number;
}

/**
 * When to commit. Modes: idle (nothing to commit), waiting (something changed; its interval runs), due (it flushes as
 * soon as the running code gives way), sending (one delivery in flight; changes gather for the next), stopped.
 * idle → waiting at a change; waiting → due when the interval ends, a mark is reached, or somebody asked; due → sending;
 * sending → idle, waiting or due by what gathered meanwhile; any → stopped after an error or `stop`.
 */
export class Committer {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #onGrid: boolean;
  readonly #marks: CommitMarks;
  readonly #deliver: () => Promise<boolean>;
  readonly #failed: (error: unknown) => void;
  #mode: 'idle' | 'waiting' | 'due' | 'sending' | 'stopped' = 'idle';
  readonly #over = new AbortController();
  #isTiming = false;
  #inFlight: Promise<void> = Promise.resolve();
  #soon = false;
  #records = 0;
  #bytes = 0;
  #firstAtMs = 0;

  /**
   * @param onGrid waits to the next multiple of the interval, as all committers of a process do then: what they commit can
   *   go together
   * @param deliver cuts synchronously, sends, and resolves when it is committed: whether it left some for the next.
   */
  constructor(
    clock: Clock,
    {
      intervalMs,
      marks,
      onGrid = false,
    }: { readonly intervalMs: number; readonly marks: CommitMarks; readonly onGrid?: boolean },
    deliver: () => Promise<boolean>,
    failed: (error: unknown) => void,
  ) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#onGrid = onGrid;
    this.#marks = marks;
    this.#deliver = deliver;
    this.#failed = failed;
  }

  get isSending(): boolean {
    return this.#mode === 'sending';
  }

  /** Something changed that wants to be committed. @param atOnce begins no interval that nobody would wait for */
  touch(records: number, bytes: number, atOnce = false): void {
    if (this.#records === 0) this.#firstAtMs = this.#clock.now();
    this.#records += records;
    this.#bytes += bytes;
    if (atOnce || this.#records >= this.#marks.recordsMark || this.#bytes >= this.#marks.bytesMark)
      this.soon();
    else if (this.#mode === 'idle') this.#wait();
  }

  /** Commits what there is once the running code, with the promises that it settles, gives way. */
  soon(): void {
    this.#soon = true;
    if (this.#mode === 'idle' || this.#mode === 'waiting') this.#fallDue();
  }

  /** By itself: whoever only asks, which every record does, makes no closures. */
  #fallDue(): void {
    this.#mode = 'due';
    // A microtask could come between the last line of an async handler and the closing that follows it.
    this.#inFlight = new Promise<void>(resolve => setImmediate(resolve)).then(() => this.#flush());
  }

  /** Waits for what is in flight and commits the rest; what changes meanwhile is left. */
  async drain(): Promise<void> {
    await this.#inFlight;
    do {
      this.soon();
      await this.#inFlight;
    } while (this.#isDue());
  }

  /** Cuts nothing more. @returns when nothing is in flight. */
  stop(): Promise<void> {
    this.#mode = 'stopped';
    this.#over.abort(OVER);
    return this.#inFlight;
  }

  #isDue(): boolean {
    return this.#mode === 'due';
  }

  #wait(): void {
    const nowMs = this.#clock.now();
    // The clock may step back.
    this.#firstAtMs = Math.min(this.#firstAtMs, nowMs);
    const sinceMs = this.#onGrid ? this.#firstAtMs - (this.#firstAtMs % this.#intervalMs) : this.#firstAtMs;
    const leftMs = sinceMs + this.#intervalMs - nowMs;
    if (leftMs <= 0) return this.soon();
    this.#mode = 'waiting';
    this.#time(leftMs);
  }

  /**
   * One timer at a time, which runs on where it was not needed and then looks anew: most waits are over before their time,
   * a thousand a second at a trickle, and to end a timer for each costs more than all else here.
   */
  #time(ms: number): void {
    if (this.#isTiming) return;
    this.#isTiming = true;
    this.#clock.sleep(ms, this.#over.signal).then(
      () => {
        this.#isTiming = false;
        if (this.#mode === 'waiting') this.#wait();
      },
      () => undefined, // It was stopped.
    );
  }

  async #flush(): Promise<void> {
    if (this.#mode !== 'due') return;
    this.#mode = 'sending';
    this.#soon = false;
    this.#records = 0;
    this.#bytes = 0;
    try {
      if (await this.#deliver()) this.#soon = true;
    } catch (error) {
      this.#mode = 'stopped';
      this.#failed(error);
      return;
    }
    this.#sent();
  }

  #sent(): void {
    if (this.#mode === 'stopped') return;
    this.#mode = 'idle';
    if (this.#soon) this.soon();
    else if (this.#records > 0) this.#wait();
  }
}
