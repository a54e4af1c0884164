import { asideTopic, deadLetterTopic } from '@millrace/contracts';
import { type SeededRandom, seededRandom } from '@millrace/pipelines';
import { type Broker, BrokerError, FencedError } from '@millrace/stream';
import type { Clock } from '@millrace/telemetry';
import { redrive, type RedriveOptions } from '../../services/cli/src/dlq/redrive.ts';
import { hostOf } from './schedule.ts';
import type { Town } from './town.ts';
import type { World } from './world.ts';

/** When letters are sent again, and how often each record may be. */
export interface Redrives {
  readonly atMs: readonly number[];
  readonly loopsMax: number;
}

const TIMES_MAX = 4;
const LOOPS_MAX = 3;
/** Of seeds. */
const REDRIVES = 0.7;
/** Of commands. */
const KILLS = 0.4;
const KILL_MS_MAX = 60;
const AGAIN_MS_MAX = 300;

/** What the seed sets; of dice of its own, so that it changes no other choice. */
export const redrivesOf = (seed: number, fromMs: number, untilMs: number): Redrives => {
  const dice = seededRandom(Math.imul(seed, 0x7feb352d) ^ 0x68e31da4);
  const times = dice.chance(REDRIVES) ? dice.integer(1, TIMES_MAX) : 0;
  const atMs = Array.from({ length: times }, () => dice.integer(fromMs, untilMs));
  return { atMs, loopsMax: dice.integer(1, LOOPS_MAX) };
};

/**
 * Who sends dead letters of events again, by the code of `millrace dlq redrive --execute`. Its command may end at any await,
 * or lose an answer; then it is given again, as the manual says.
 */
export class Operator {
  readonly #town: Town;
  readonly #world: World;
  readonly #dice: SeededRandom;
  readonly #redrives: Redrives;
  readonly #partitions: number;
  readonly #host = hostOf('operator');
  /** Letters that were sent again, as commands have told. */
  sent = 0;
  /** Commands that were killed. */
  kills = 0;
  /** No command is killed any more. */
  isCalm = false;
  #commands = 0;

  constructor(town: Town, world: World, seed: number, redrives: Redrives, partitions: number) {
    this.#town = town;
    this.#world = world;
    this.#dice = seededRandom(Math.imul(seed, 0x1b873593) ^ 0x38b34ae5);
    this.#redrives = redrives;
    this.#partitions = partitions;
  }

  begin(): void {
    const events = Object.values(this.#world.topics.events);
    for (const atMs of this.#redrives.atMs)
      this.#later(atMs, events[this.#dice.integer(0, events.length - 1)]!);
  }

  #later(atMs: number, topic: string): void {
    // It is under way from now on: nothing rests before it has come to an end.
    this.#town.underWay++;
    this.#town.schedule.at(atMs, { host: this.#host, what: 'redrive', go: () => this.#command(topic) });
  }

  #command(topic: string): void {
    const { schedule } = this.#town;
    const { client, host, wire } = this.#town.connect(`redrive-${++this.#commands}`);
    let isOver = false;
    const over = (mustGoOn: boolean): void => {
      if (isOver) return;
      isOver = true;
      if (mustGoOn) this.#later(schedule.nowMs + this.#dice.integer(0, AGAIN_MS_MAX), topic);
      this.#town.underWay--;
    };
    schedule.current = host;
    this.#redrive(topic, client, schedule.clockOf(host)).then(
      () => over(false),
      (error: unknown) => {
        // Another command over the same letters goes on from what this one has sent.
        if (error instanceof FencedError) return over(false);
        if (!(error instanceof BrokerError)) this.#town.ended.push(`${host.name}: ${(error as Error).stack}`);
        over(error instanceof BrokerError);
      },
    );
    if (this.isCalm || !this.#dice.chance(KILLS)) return;
    const kill = (): void => {
      if (isOver || this.isCalm) return;
      this.kills++;
      schedule.kill(host);
      if (this.#dice.chance(0.5)) schedule.kill(wire);
      over(true);
    };
    const atMs = schedule.nowMs + this.#dice.integer(0, KILL_MS_MAX);
    schedule.at(atMs, { host: this.#host, what: 'kill', go: kill });
  }

  async #redrive(topic: string, broker: Broker, clock: Clock): Promise<void> {
    const options: RedriveOptions = {
      selection: { topic: deadLetterTopic(topic) },
      to: asideTopic(topic),
      partitions: this.#partitions,
      lettersMax: Number.POSITIVE_INFINITY,
      loopsMax: this.#redrives.loopsMax,
    };
    let told = 0;
    const tell = (sent: number): void => {
      this.sent += sent - told;
      told = sent;
    };
    const { registry } = this.#world;
    await redrive({ broker, registry, clock }, options, tell, new AbortController().signal);
  }
}
