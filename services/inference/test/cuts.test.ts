import { describe, expect, test } from '@jest/globals';
import type { VersionCut } from '@millrace/contracts';
import { seededRandom } from '@millrace/pipelines';
import { Cuts, CUTS_MAX } from '../src/cuts.ts';

const at = (partition: number, offset: number) => ({ partition, offset });

describe('whose an event is', () => {
  test('all belong to the first version until another is cut, and from the ends on to that', () => {
    const cuts = new Cuts(1);
    expect([cuts.owns(1, 0, 5), cuts.owns(2, 0, 5)]).toEqual([true, false]);
    cuts.cut(2, [at(0, 10), at(1, 3)]);
    expect(cuts.list).toEqual([
      { version: 1, from: [] },
      { version: 2, from: [10, 3] },
    ]);
    expect([cuts.owns(1, 0, 9), cuts.owns(2, 0, 10), cuts.owns(2, 1, 3), cuts.owns(1, 1, 3)]).toEqual([
      true, true, true, false,
    ]); // prettier-ignore
  });

  test('a cut lies behind what was looked at, whatever the ends were when they were asked for', () => {
    const cuts = new Cuts(1);
    expect(cuts.owns(2, 0, 12)).toBe(false);
    cuts.cut(2, [at(0, 10)]);
    expect(cuts.list.at(-1)!.from).toEqual([13]);
    expect(cuts.owns(2, 0, 12)).toBe(false);
  });

  test('going back and forth with nothing between leaves the last word', () => {
    const cuts = new Cuts(1);
    cuts.cut(2, [at(0, 10)]);
    cuts.cut(1, [at(0, 10)]);
    expect([cuts.version, cuts.owns(1, 0, 10), cuts.owns(2, 0, 10)]).toEqual([1, true, false]);
  });

  test('what is kept has a limit', () => {
    const cuts = new Cuts(1);
    for (let n = 1; n <= 2 * CUTS_MAX; n++) cuts.cut(1 + (n % 2), [at(0, n)]);
    expect(cuts.list).toHaveLength(CUTS_MAX);
    expect(cuts.list.at(-1)!.from).toEqual([2 * CUTS_MAX]);
  });
});

/** One vector that waits on a version's topics: where its event stood. */
type Vector = number;

/**
 * A task over one source partition, as far as switching goes: two versions write their vectors at their own pace and in
 * an order of their own, each split over two topics; what is read is decided at once and committed later; a crash goes
 * back to what was committed.
 */
class Course {
  readonly #random: () => number;
  readonly #written: readonly (readonly Vector[][])[] = [[[], []], [[], []]]; // prettier-ignore
  readonly #next = [0, 0];
  #end = 0;
  #committed: { positions: number[][]; cuts: readonly VersionCut[]; answered: Vector[] } = {
    positions: [[0, 0], [0, 0]], cuts: [], answered: [],
  }; // prettier-ignore
  #life = this.#begin();
  #asked: number | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  #begin() {
    const { positions, cuts, answered } = this.#committed;
    return { positions: positions.map(of => [...of]), cuts: new Cuts(1, cuts), answered: [...answered] };
  }

  #below = (n: number): number => Math.floor(this.#random() * n);

  /** The version writes up to so many of its next vectors; of those one epoch holds, in any order. */
  #write(version: number, most: number): void {
    const from = this.#next[version]!;
    const until = Math.min(this.#end, from + most);
    const offsets = Array.from({ length: until - from }, (_, i) => from + i);
    offsets.sort(() => this.#random() - 0.5);
    for (const offset of offsets) this.#written[version]![this.#below(4) === 0 ? 1 : 0]!.push(offset);
    this.#next[version] = until;
  }

  #read(version: number, topic: number): void {
    const { positions, cuts, answered } = this.#life;
    const offset = this.#written[version]![topic]![positions[version]![topic]!];
    if (offset === undefined) return;
    positions[version]![topic]!++;
    if (cuts.owns(version + 1, 0, offset)) answered.push(offset);
  }

  #commit(): void {
    const { positions, cuts, answered } = this.#life;
    this.#committed = { positions: positions.map(of => [...of]), cuts: cuts.list, answered: [...answered] };
  }

  step(): void {
    const dice = this.#below(100);
    if (dice < 20) this.#end += this.#below(4);
    else if (dice < 35) this.#write(this.#below(2), 1 + this.#below(5));
    else if (dice < 75) this.#read(this.#below(2), this.#below(2));
    else if (dice < 85) this.#commit();
    else if (dice < 90) this.#asked = this.#end;
    else if (dice < 95) {
      if (this.#asked === undefined) return;
      this.#life.cuts.cut(3 - this.#life.cuts.version, [at(0, this.#asked)]);
      this.#asked = undefined;
    } else {
      this.#life = this.#begin();
      this.#asked = undefined;
    }
  }

  finish(): { readonly events: number; readonly answered: readonly number[]; readonly cuts: number } {
    for (const version of [0, 1]) {
      this.#write(version, Number.MAX_SAFE_INTEGER);
      for (const topic of [0, 1]) for (const _ of this.#written[version]![topic]!) this.#read(version, topic);
    }
    return {
      events: this.#end,
      answered: this.#life.answered.toSorted((a, b) => a - b),
      cuts: this.#life.cuts.list.length,
    };
  }
}

test('whatever the pace, the crashes and the switches: each event is answered once', () => {
  let cuts = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const course = new Course(() => random.next());
    for (let n = 0; n < 400; n++) course.step();
    const { events, answered, cuts: made } = course.finish();
    cuts += made - 1;
    expect([seed, answered]).toEqual([seed, Array.from({ length: events }, (_, i) => i)]);
  }
  expect(cuts).toBeGreaterThan(1_000);
});
