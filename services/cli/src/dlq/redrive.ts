/**
 * Sending dead letters again, each once. The order is what makes it so: fence every earlier run over the same topic,
 * which ends what that one had open; then read which letters are marked as sent, all of them; then send copies and marks, together in
 * transactions. Killed at any point and run again, it goes on with the letters that have no mark.
 */
import { REDRIVE_GROUP, transactionalIdPrefix } from '@millrace/contracts';
import { Parcel } from '../world/parcel.ts';
import type { World } from '../world/prepare.ts';
import { copyOf, type Target } from './copy.ts';
import { type Letter, lettersOf, type Selection } from './letters.ts';
import { allMarksOf, type Marks, marksOf, markWriter, topicIdOf } from './marks.ts';

export interface RedriveOptions extends Target {
  readonly selection: Selection;
  readonly lettersMax: number;
  /** A letter that was sent again so often is left. */
  readonly loopsMax: number;
}

/** Letters by what is done with them. */
export interface Tally {
  /** By reason. */
  readonly sent: ReadonlyMap<string, number>;
  /** Were sent again before. */
  readonly redriven: number;
  /** Came back too often. */
  readonly loops: number;
  /** Written by somebody else: nothing says where they come from. */
  readonly foreign: number;
  /** More than was asked for. */
  readonly beyondMax: number;
}

type Kind = 'sent' | 'redriven' | 'loops' | 'foreign' | 'beyondMax';

class Sorting {
  readonly #options: RedriveOptions;
  readonly #marks: Marks;
  readonly #sent = new Map<string, number>();
  readonly #left = { redriven: 0, loops: 0, foreign: 0, beyondMax: 0 };
  #count = 0;

  constructor(options: RedriveOptions, marks: Marks) {
    this.#options = options;
    this.#marks = marks;
  }

  /** Counts a letter. @returns whether it is to be sent */
  take(letter: Letter): letter is Letter & { readonly about: NonNullable<Letter['about']> } {
    const kind = this.#kindOf(letter);
    if (kind !== 'sent') {
      this.#left[kind]++;
      return false;
    }
    const { reason } = letter.about!;
    this.#sent.set(reason, (this.#sent.get(reason) ?? 0) + 1);
    this.#count++;
    return true;
  }

  get tally(): Tally {
    return { sent: this.#sent, ...this.#left };
  }

  #kindOf(letter: Letter): Kind {
    const { about } = letter;
    if (about === undefined) return 'foreign';
    if (this.#marks.has(letter)) return 'redriven';
    if (about.redriven >= this.#options.loopsMax) return 'loops';
    return this.#count < this.#options.lettersMax ? 'sent' : 'beyondMax';
  }
}

/** What would be sent. Nothing is fenced and nothing is written. */
export const planRedrive = async (world: World, options: RedriveOptions, signal: AbortSignal): Promise<Tally> => {
  const marks = await marksOf(world, await topicIdOf(world, options.selection.topic));
  const sorting = new Sorting(options, marks);
  for await (const letter of lettersOf(world.broker, options.selection, signal)) sorting.take(letter);
  return sorting.tally;
}; // prettier-ignore

/** @param told how many were sent so far, after each transaction */
export const redrive = async (
  world: World,
  options: RedriveOptions,
  told: (sent: number) => void,
  signal: AbortSignal,
): Promise<Tally> => {
  const { broker, clock } = world;
  const { selection } = options;
  const markOf = await markWriter(world);
  const topicId = await topicIdOf(world, selection.topic);
  const producer = await broker.transactionalProducer(`${transactionalIdPrefix(REDRIVE_GROUP)}${selection.topic}`);
  try {
    const sorting = new Sorting(options, await allMarksOf(world, topicId, producer, signal));
    const parcel = new Parcel({ producer, told });
    for await (const letter of lettersOf(broker, selection, signal)) {
      if (!sorting.take(letter)) continue;
      const { topic, partition, offset, about } = letter;
      const copy = copyOf(letter, about, options);
      const mark = {
        letterTopic: topic, letterTopicId: topicId, letterPartition: partition, letterOffset: offset,
        reason: about.reason, toTopic: copy.topic, toPartition: copy.partition, count: about.redriven + 1, at: clock.now(),
      };
      await parcel.add(copy, markOf(mark));
    }
    signal.throwIfAborted();
    await parcel.send();
    return sorting.tally;
  } finally {
    await producer.close();
  }
}; // prettier-ignore
