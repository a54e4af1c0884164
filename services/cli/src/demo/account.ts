/**
 * The closed equation: every input is answered once.
 * `in = scored + fallback + deferred + deadLetters + skipped`. Each side is counted from the topics themselves, by ids and
 * source coordinates, never as what is left over.
 */
export interface Account {
  readonly in: number;
  readonly scored: number;
  readonly fallback: number;
  readonly deferred: number;
  readonly deadLetters: number;
  readonly skipped: number;
  /** Answers beyond the first with the same prediction id: redelivered, not lost and not different. */
  readonly doubled: number;
}

export const difference = (a: Account): number =>
  a.in - (a.scored + a.fallback + a.deferred + a.deadLetters + a.skipped);

/** What was seen on the topics so far; each `saw…` is called once per record. */
export class Ledger {
  readonly #events = new Set<string>();
  readonly #answers = new Map<string, 'scored' | 'fallback' | 'deferred'>();
  readonly #letters = new Set<string>();
  #in = 0;
  #skipped = 0;
  #doubled = 0;

  /** An input record; `id` is undefined where it cannot be read. A repeated (id, revision) will be skipped as a duplicate. */
  sawInput(id: string | undefined, revision: number): void {
    this.#in++;
    if (id === undefined) return;
    const event = `${id}\u0000${revision}`;
    if (this.#events.has(event)) this.#skipped++;
    this.#events.add(event);
  }

  /** @returns whether the id was new */
  sawAnswer(predictionId: string, kind: 'scored' | 'fallback' | 'deferred'): boolean {
    if (this.#answers.has(predictionId)) {
      this.#doubled++;
      return false;
    }
    this.#answers.set(predictionId, kind);
    return true;
  }

  /** A dead letter by the coordinates of the record it holds; the same record twice is one letter. */
  sawLetter(topic: string, partition: number, offset: number): void {
    this.#letters.add(`${topic}/${partition}/${offset}`);
  }

  account(): Account {
    const of = (kind: string): number => [...this.#answers.values()].filter(k => k === kind).length;
    return {
      in: this.#in,
      scored: of('scored'),
      fallback: of('fallback'),
      deferred: of('deferred'),
      deadLetters: this.#letters.size,
      skipped: this.#skipped,
      doubled: this.#doubled,
    };
  }

  get answered(): number {
    return this.#answers.size + this.#letters.size + this.#skipped;
  }
}
