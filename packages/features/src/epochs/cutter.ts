import type { History } from './history.ts';
import { type Epoch, EPOCH_NONE, liveEpochAt, REPLAY_LAST } from './number.ts';

export interface CutterOptions {
  /** Grid of live epochs, milliseconds of append time. */
  readonly epochMs: number;
  /** How long after an epoch's end a partition read to its end may still deliver a record of it, milliseconds. */
  readonly marginMs: number;
  /** Non-empty epochs that one input may have between the last stage's progress and its newest record. At least 1. */
  readonly epochsAheadMax: number;
  /** By input: the part of it that lies in the past. None: all of it is live. */
  readonly histories?: readonly (History | undefined)[];
}

/** What a source task keeps of one input partition, committed with every cut. */
export interface CutterInputState {
  /** How far the partition had been read at the cut (next offset). */
  readonly readTo: number;
  /** Epochs with records of this input that were closed and that the last stage had not released. */
  readonly ahead: readonly Epoch[];
  /** Where its newest live epoch ended (offset, exclusive); absent in state of before it was kept. */
  readonly endedAt?: number;
}

export interface CutterState {
  readonly closed: Epoch;
  /** None of an input that was not there yet. */
  readonly inputs: readonly (CutterInputState | undefined)[];
}

export interface Gathered<Row> {
  readonly epoch: Epoch;
  /** In order of arrival. */
  readonly rows: readonly Row[];
}

export interface Cut<Row> {
  /** The newest epoch closed: the marker. */
  readonly closed: Epoch;
  /** Non-empty epochs up to it, ascending. Each is sorted and folded by itself. */
  readonly epochs: readonly Gathered<Row>[];
  /** What has to be written down, so that the same records can be cut into the same epochs again. */
  readonly stretches: readonly LiveStretch[];
  /** Records of the past that came too late for their epoch, since the cut before: it was not cut by its history alone. */
  readonly bumpedPast: number;
}

/** Records of one input that went into one live epoch: those of its offsets that belong to any. */
export interface LiveStretch {
  readonly input: number;
  readonly epoch: Epoch;
  /** Where the input's live epoch before ended; where that is not known, the first record. */
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
}

interface Input {
  readonly history: History | undefined;
  /** Highest order time read, milliseconds. */
  orderTimeMaxMs: number;
  position: number;
  /** Nothing is closed before the position is here again. */
  readonly readTo: number;
  /** Epoch of the newest record kept or known as applied. */
  newest: Epoch;
  atEnd: boolean;
  paused: boolean;
  readonly ahead: Set<Epoch>;
  /** Of its open live epochs, ascending: where the first record is, and the offset behind the last. */
  readonly live: Map<Epoch, { readonly first: number; until: number }>;
  endedAt: number | undefined;
}

/**
 * Cuts the input partitions of one source task into epochs: by their history first, where they have one, then live. Plain
 * data in and out: it reads nothing, sends nothing, and is told the time. Inputs are known by their index.
 */
export class SourceCutter<Row> {
  readonly #options: CutterOptions;
  readonly #inputs: readonly Input[];
  readonly #open = new Map<Epoch, Row[]>();
  #closed: Epoch;
  #head: Epoch = EPOCH_NONE;
  /** A head past what was closed when it was published: somebody has rows there and waits for our marker. */
  #awaited: Epoch = EPOCH_NONE;
  #bumped = 0;
  #bumpedPast = 0;

  /** `positions`: next offset of each input, where reading starts. `state`: of the last committed cut. */
  constructor(options: CutterOptions, positions: readonly number[], state?: CutterState) {
    const aheadMin = Math.max(1, ...(options.histories ?? []).map(history => history?.aheadMin ?? 1));
    if (!(options.epochsAheadMax >= aheadMin))
      throw new RangeError(
        `epochsAheadMax is ${options.epochsAheadMax} and must be at least ${aheadMin}: with less, a paused input could never close its first epoch`,
      );
    this.#options = options;
    this.#closed = state?.closed ?? EPOCH_NONE;
    this.#inputs = positions.map((position, i) => {
      const history = options.histories?.[i];
      const kept = state?.inputs[i];
      return {
        history,
        orderTimeMaxMs: Number.NEGATIVE_INFINITY,
        position,
        readTo: kept?.readTo ?? 0,
        newest: EPOCH_NONE,
        atEnd: false,
        paused: false,
        ahead: new Set(kept?.ahead),
        live: new Map(),
        // A state that does not say it has closed live epochs of which nothing is known.
        endedAt: kept === undefined ? (history?.liveFrom ?? 0) : kept.endedAt,
      };
    });
  }

  /** Newest epoch closed. */
  get closed(): Epoch {
    return this.#closed;
  }

  /** Epoch of the newest record read, closed or not. */
  get head(): Epoch {
    return this.#head;
  }

  /** Records that came too late for the epoch of their append time, since the start. */
  get bumped(): number {
    return this.#bumped;
  }

  /** Rows held back until their epoch closes. */
  get rowsHeld(): number {
    let rows = 0;
    for (const held of this.#open.values()) rows += held.length;
    return rows;
  }

  /** Takes the next record of an input. False: its epoch was applied before a restart, and the record is not kept. */
  add(input: number, offset: number, appendTimeMs: number, orderTimeMs: number, row: Row): boolean {
    const from = this.#inputs[input]!;
    const past = isBefore(from.history, offset) ? from.history : undefined;
    const byTime = past?.epochAt(offset, orderTimeMs) ?? this.#liveEpochAt(from, appendTimeMs);
    // The append clock may step back; a history says what it means.
    const monotone = past === undefined ? Math.max(from.newest, byTime) : byTime;
    from.orderTimeMaxMs = Math.max(from.orderTimeMaxMs, orderTimeMs);
    this.pass(input, offset);
    if (offset < from.readTo && monotone <= this.#closed) {
      from.newest = monotone;
      return false;
    }
    const epoch = Math.max(monotone, this.#closed + 1);
    if (byTime <= this.#closed) {
      this.#bumped++;
      if (past !== undefined) this.#bumpedPast++;
    }
    from.newest = epoch;
    from.ahead.add(epoch);
    this.#head = Math.max(this.#head, epoch);
    if (epoch > REPLAY_LAST) {
      const live = from.live.get(epoch);
      if (live === undefined) from.live.set(epoch, { first: offset, until: offset + 1 });
      else live.until = offset + 1;
    }
    const rows = this.#open.get(epoch);
    if (rows === undefined) this.#open.set(epoch, [row]);
    else rows.push(row);
    return true;
  }

  /** A record that belongs to no epoch (a tombstone, bad bytes): only the position moves. */
  pass(input: number, offset: number): void {
    const from = this.#inputs[input]!;
    from.position = Math.max(from.position, offset + 1);
    from.atEnd = false;
  }

  /** The input was read to this offset, and there was nothing more. */
  caughtUp(input: number, offset: number): void {
    const from = this.#inputs[input]!;
    if (offset < from.position) return;
    from.position = offset;
    // What is appended during a pause is not seen, so a paused partition is never at its end.
    from.atEnd = !from.paused;
  }

  /**
   * Closes what can be closed, or nothing. `headMax` is the highest head that any source has published: idle sources
   * close up to it and never beyond, so that a quiet pipeline writes nothing. Nothing is closed that nobody waits for:
   * only up to rows of our own, or to a head of the others.
   */
  cut(nowMs: number, headMax: Epoch): Cut<Row> | undefined {
    let past = Math.max(headMax, this.#head);
    for (const input of this.#inputs) past = Math.min(past, this.#pastOf(input, nowMs));
    if (this.#awaited <= this.#closed) this.#awaited = headMax;
    if (past <= this.#closed) return undefined;
    const epochs: Gathered<Row>[] = [];
    for (const [epoch, rows] of this.#open) if (epoch <= past) epochs.push({ epoch, rows });
    if (epochs.length === 0 && (this.#awaited <= this.#closed || past < this.#awaited)) return undefined;
    this.#closed = past;
    this.#awaited = headMax;
    epochs.sort((a, b) => a.epoch - b.epoch);
    for (const { epoch } of epochs) this.#open.delete(epoch);
    const stretches = this.#inputs.flatMap((_, input) => this.#closeLive(input));
    const bumpedPast = this.#bumpedPast;
    this.#bumpedPast = 0;
    return { closed: past, epochs, stretches, bumpedPast };
  }

  /** What has to be committed with the cut just made. */
  state(): CutterState {
    const upToClosed = (epochs: Set<Epoch>): Epoch[] => [...epochs].filter(epoch => epoch <= this.#closed);
    return {
      closed: this.#closed,
      inputs: this.#inputs.map(({ position, readTo, ahead, endedAt }) => ({
        readTo: Math.max(position, readTo),
        ahead: upToClosed(ahead),
        ...(endedAt !== undefined && { endedAt }),
      })),
    };
  }

  /** Which inputs must rest, given the epoch that every task of the last stage has released. */
  pace(released: Epoch): readonly boolean[] {
    return this.#inputs.map(input => {
      for (const epoch of input.ahead) if (epoch <= released) input.ahead.delete(epoch);
      // What an earlier life had read must be read again before anything closes: it cannot wait for progress.
      const mustRead = input.position < input.readTo;
      input.paused = !mustRead && input.ahead.size > this.#options.epochsAheadMax;
      if (input.paused) input.atEnd = false;
      return input.paused;
    });
  }

  /** A live epoch is never one of the history's, also where the append clock says so. */
  #liveEpochAt({ history }: Input, appendTimeMs: number): Epoch {
    return Math.max(liveEpochAt(appendTimeMs, this.#options.epochMs), (history?.last ?? EPOCH_NONE) + 1);
  }

  #closeLive(input: number): readonly LiveStretch[] {
    const of = this.#inputs[input]!;
    const stretches: LiveStretch[] = [];
    for (const [epoch, { first, until }] of of.live) {
      if (epoch > this.#closed) continue;
      of.live.delete(epoch);
      stretches.push({ input, epoch, from: of.endedAt ?? first, until });
      of.endedAt = until;
    }
    return stretches;
  }

  /** The newest epoch that this input cannot add to any more. */
  #pastOf(input: Input, nowMs: number): Epoch {
    const { history, position, orderTimeMaxMs } = input;
    if (position < input.readTo) return EPOCH_NONE;
    const last = history?.last ?? EPOCH_NONE;
    if (isBefore(history, position)) return history.pastAt(position, orderTimeMaxMs);
    // Behind its history an input is past all of it.
    const byRecord = Math.max(input.newest - 1, last);
    if (!input.atEnd) return byRecord;
    const { epochMs, marginMs } = this.#options;
    return Math.max(byRecord, liveEpochAt(nowMs - marginMs, epochMs) - 1);
  }
}

const isBefore = (history: History | undefined, offset: number): history is History =>
  history !== undefined && offset < history.until;
