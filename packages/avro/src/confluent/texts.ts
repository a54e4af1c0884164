/** Ids remembered not to exist; the oldest are forgotten first, so that made-up ids cannot fill the memory. */
const UNKNOWN_IDS_MAX = 10_000;

/** Texts by id: what exists never changes, what does not exist may come to. */
export class SchemaTexts {
  readonly #texts = new Map<number, string>();
  readonly #unknownUntilMs = new Map<number, number>();
  readonly #underWay = new Map<number, Promise<string | undefined>>();
  readonly #look: (id: number) => Promise<string | undefined>;
  readonly #now: () => number;
  readonly #unknownIdMsMax: number;

  constructor(look: (id: number) => Promise<string | undefined>, now: () => number, unknownIdMsMax: number) {
    this.#look = look;
    this.#now = now;
    this.#unknownIdMsMax = unknownIdMsMax;
  }

  /** Look-ups of one id at one time are one request; a failed one is not remembered. */
  async of(id: number): Promise<string | undefined> {
    const known = this.#texts.get(id);
    if (known !== undefined) return known;
    if ((this.#unknownUntilMs.get(id) ?? -Infinity) > this.#now()) return undefined;
    const underWay = this.#underWay.get(id) ?? this.#ask(id);
    this.#underWay.set(id, underWay);
    return underWay;
  }

  async #ask(id: number): Promise<string | undefined> {
    try {
      const text = await this.#look(id);
      if (text === undefined) this.#forbid(id);
      else this.#texts.set(id, text);
      return text;
    } finally {
      this.#underWay.delete(id);
    }
  }

  #forbid(id: number): void {
    this.#unknownUntilMs.delete(id);
    if (this.#unknownUntilMs.size >= UNKNOWN_IDS_MAX)
      this.#unknownUntilMs.delete(this.#unknownUntilMs.keys().next().value!);
    this.#unknownUntilMs.set(id, this.#now() + this.#unknownIdMsMax);
  }
}
