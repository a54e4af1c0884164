/** Why served and recomputed features may differ, and what tells it. */

/** Of vectors that differ, likeliest first. */
export const CAUSES = {
  corrected: 'an event of its windows was corrected or withdrawn after it was answered',
  'late-event': 'an event of its windows came after it was answered',
  'late-label': 'a label of its windows came after it was answered',
  'late-row': 'a row of a table came after it was answered',
  'epoch-order': 'an event of its windows came with it, and live epochs put it behind',
  history: 'its windows reach further back than the topics do',
  other: 'nothing of the kind: the value is not what its events give',
} as const;
export type Cause = keyof typeof CAUSES;

/** Of vectors that only one side has. */
export const ABSENCES = {
  'not-yet': 'the stream has not come so far',
  'put-off': 'a rule put it off, and no night has answered it yet',
  'dead-letter': 'it was refused: a dead letter',
  superseded: 'in event time a correction of it comes before it',
  gone: 'its event is not kept any more',
  'no-answer': 'no answer and no dead letter are kept',
  'no-event': 'its event is not on its topic, or was not to be folded',
} as const;
export type Absence = keyof typeof ABSENCES;

/** An absence that has nothing to do with how features are computed. */
export const EXCUSED: ReadonlySet<Absence> = new Set<Absence>([
  'not-yet',
  'put-off',
  'dead-letter',
  'superseded',
  'gone',
]);

/** What came to one key of a stage before an event, in the order of the fold: when the last of each kind arrived. */
export class Arrivals {
  readonly #epochMs: number;
  readonly #newest = new Map<Cause, number>();

  /** @param epochMs grid of live epochs, milliseconds of append time */
  constructor(epochMs: number) {
    this.#epochMs = epochMs;
  }

  add(kind: Cause, appendTimeMs: number): void {
    const newest = this.#newest.get(kind);
    if (newest === undefined || appendTimeMs > newest) this.#newest.set(kind, appendTimeMs);
  }

  /** What of it an event could not know that arrived then; undefined where all had come well before. */
  after(appendTimeMs: number): Cause | undefined {
    const together = 2 * this.#epochMs;
    let isTogether = false;
    for (const kind of ['corrected', 'late-event', 'late-label', 'late-row'] as const) {
      const newest = this.#newest.get(kind);
      if (newest === undefined) continue;
      if (newest > appendTimeMs + together) return kind;
      if (newest > appendTimeMs - together) isTogether = true;
    }
    return isTogether ? 'epoch-order' : undefined;
  }
}
