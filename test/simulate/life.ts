import { type SeededRandom, seededRandom } from '@millrace/pipelines';
import { behindMs, clocksOf } from './clocks.ts';
import { runOn } from './globals.ts';
import { judge } from './judge.ts';
import { Operator, type Redrives, redrivesOf } from './operator.ts';
import { marksOf } from './reading.ts';
import { endsIn, openIn } from './rest.ts';
import { type RulesChange, rulesOf } from './rules.ts';
import { hostOf, Schedule } from './schedule.ts';
import { type Kind, type Process, Town } from './town.ts';
import { type Sent, Traffic } from './traffic.ts';
import { pipelineOf, type World } from './world.ts';

/** What came to pass in one run. */
export interface Tally {
  readonly inputs: number;
  crashes: number;
  zombies: number;
  /** In order. */
  stops: number;
  starts: number;
  rebalances: number;
  /** Calls of services that were lost, or their answers. */
  lost: number;
  /** Engines of models that ended. */
  engines: number;
  /** Changes of the routing rules. */
  readonly rules: number;
  /** Runs that filled a lane of inference. */
  full: number;
  /** Letters that were sent again. */
  redriven: number;
  /** Commands that send letters again, killed. */
  redrivesKilled: number;
  /** Steps of the brokers' clock. */
  readonly clockSteps: number;
  steps: number;
  simulatedMs: number;
}

export interface Verdict {
  readonly seed: number;
  /** `invariant: what was seen`; empty when all hold. */
  readonly violations: readonly string[];
  readonly hash: string;
  readonly trace: readonly string[];
  readonly tally: Tally;
}

const START_MS = 1_750_000_000_000;
const STEPS_MAX = 200_000;
/** Simulated time after the last fault in which everything must come to rest: a transaction time-out and more. */
const REST_MS_MAX = 60_000;
const LOOK_MS = 400;
const QUIET_MS = 600;
/** More than a session and a take-over last together. */
const QUIET_LOOKS_MAX = 4;
/** Timers alone take a tenth of it; who takes more is at work without end. */
const QUIET_STEPS_MAX = 10_000;
/** After the last process has ended: less than the time-out of a transaction that it may have left open. */
const LEFT_MS = 5_000;

interface Plan {
  readonly durationMs: number;
  /** Chance of a fault at each step. */
  readonly faults: number;
  readonly instances: Readonly<Record<Kind, number>>;
}

/** The life of a town from its first process to its rest, under one seed. */
export class Life {
  readonly #seed: number;
  readonly #world: World;
  readonly #dice: SeededRandom;
  readonly #schedule: Schedule;
  readonly #town: Town;
  readonly #operator: Operator;
  readonly #redrives: Redrives;
  readonly #plan: Plan;
  readonly #sent: readonly Sent[];
  readonly #rules: readonly RulesChange[];
  readonly #pipeline;
  readonly #tally: Tally;
  /** Nothing that goes wrong is brought about any more. */
  #isCalm = false;

  constructor(world: World, seed: number) {
    const dice = seededRandom(Math.imul(seed, 0x9e3779b1) ^ 0x51ed270b);
    this.#seed = seed;
    this.#world = world;
    this.#dice = dice;
    const delivery = { inference: dice.chance(0.7), epochMs: [20, 50, 100][dice.integer(0, 2)]! };
    this.#pipeline = pipelineOf(dice.integer(1, 3), {
      inference: delivery.inference ? 'exactly_once' : 'at_least_once',
      epochMs: delivery.epochMs,
    });
    const outside = hostOf('outside');
    this.#schedule = new Schedule(dice, START_MS, outside);
    const wild = dice.next();
    this.#plan = {
      durationMs: dice.integer(200, 1_500),
      faults: dice.chance(0.1) ? 0 : wild / 120,
      instances: { feature: dice.integer(1, 3), inference: dice.integer(1, 2) },
    };
    const endMs = this.#endMs;
    const clocks = clocksOf(seed, START_MS, endMs);
    this.#town = new Town(world, this.#schedule, dice, outside, {
      pipeline: this.#pipeline,
      epochMarginMs: dice.integer(0, 40),
      epochsAheadMax: dice.integer(1, 4),
      marks: marksOf(seed),
      clocks,
      sessionMs: dice.integer(200, 900),
      runRecordsMax: dice.chance(0.3) ? 500 : dice.integer(1, 10),
    });
    this.#sent = new Traffic(world, dice, {
      partitions: this.#pipeline.partitions,
      count: dice.integer(5, 50),
      fromMs: START_MS,
      durationMs: this.#plan.durationMs,
      poison: dice.chance(0.5) ? 0.15 : 0,
      repeats: dice.chance(0.7) ? 0.2 : 0,
      lates: dice.chance(0.6) ? 0.25 : 0,
    }).make();
    this.#rules = rulesOf(seed, START_MS, this.#plan.durationMs);
    this.#redrives = redrivesOf(seed, START_MS, endMs);
    this.#operator = new Operator(this.#town, world, seed, this.#redrives, this.#pipeline.partitions);
    this.#tally = { inputs: this.#sent.length, crashes: 0, zombies: 0, stops: 0, starts: 0, rebalances: 0, lost: 0, engines: 0, rules: this.#rules.length, full: 0, redriven: 0, redrivesKilled: 0, clockSteps: clocks.steps.length - 1, steps: 0, simulatedMs: 0 }; // prettier-ignore
  }

  /** Of what goes wrong. */
  get #endMs(): number {
    return START_MS + this.#plan.durationMs + 300;
  }

  async run(): Promise<Verdict> {
    runOn(this.#schedule);
    const violations = await this.#live().catch((error: unknown) => [`broken: ${(error as Error).stack}`]);
    runOn(undefined);
    this.#tally.steps = this.#schedule.steps;
    this.#tally.lost = this.#town.lost;
    this.#tally.rebalances = this.#town.rebalances;
    this.#tally.full = this.#town.reading.full;
    this.#tally.redriven = this.#operator.sent;
    this.#tally.redrivesKilled = this.#operator.kills;
    this.#tally.simulatedMs = this.#schedule.nowMs - this.#schedule.leaptMs - START_MS;
    const { hash, trace } = this.#schedule;
    return { seed: this.#seed, violations, hash, trace, tally: this.#tally };
  }

  async #live(): Promise<readonly string[]> {
    const town = this.#town;
    await town.open();
    await town.publish(this.#sent);
    await town.setRules(this.#rules);
    this.#operator.begin();
    for (const kind of ['feature', 'inference'] as const)
      for (let i = 0; i < this.#plan.instances[kind]; i++) this.#start(kind);
    await this.#activePhase();
    await this.#letClocksMeet();
    const hang = await this.#rest();
    if (hang.length > 0) return [...this.#seen(), ...hang];
    const unquiet = await this.#staysQuiet();
    const leaks = await this.#end();
    const set = { sent: this.#sent, rules: this.#rules, redrives: this.#redrives };
    const judged = await judge(this.#world, town, this.#pipeline, set);
    return [...this.#seen(), ...unquiet, ...leaks, ...judged];
  }

  /** What was seen while it lived. */
  #seen(): readonly string[] {
    const { ended, reading } = this.#town;
    return [...ended.map(why => `no process ends of itself: ${why}`), ...reading.violations];
  }

  #start(kind: Kind): void {
    this.#tally.starts++;
    this.#town.start(kind);
  }

  async #activePhase(): Promise<void> {
    const { faults } = this.#plan;
    this.#schedule.delays = this.#dice.chance(0.5) ? 0 : this.#dice.next() * 0.1;
    this.#town.losses = faults === 0 || this.#dice.chance(0.4) ? 0 : this.#dice.next() * 0.03;
    while (this.#schedule.nowMs < this.#endMs && this.#schedule.steps < STEPS_MAX) {
      if (this.#dice.chance(faults)) this.#fault();
      if (!(await this.#schedule.grant())) break;
    }
    this.#isCalm = this.#operator.isCalm = true;
    this.#town.losses = 0;
    this.#schedule.delays = 0;
    for (const process of this.#town.processes.filter(({ host }) => host.state === 'frozen')) {
      if (this.#dice.chance(0.8)) this.#town.thaw(process);
      else this.#town.crash(process, true);
    }
    for (const kind of ['feature', 'inference'] as const)
      if (!this.#town.processes.some(one => one.kind === kind && !one.stopping.signal.aborted))
        this.#start(kind);
  }

  /** Until no process takes a record for one of a time to come: epochs close by the clocks of processes. */
  async #letClocksMeet(): Promise<void> {
    const ms = behindMs(this.#town.clocks);
    if (ms <= 0) return;
    const endMs = this.#schedule.nowMs + REST_MS_MAX;
    while (this.#town.underWay > 0 && this.#schedule.nowMs < endMs) await this.#pass(1);
    this.#schedule.leap(ms);
  }

  #fault(): void {
    const town = this.#town;
    const dice = this.#dice;
    const process = town.processes[dice.integer(0, town.processes.length - 1)];
    if (process === undefined) return;
    const kind = dice.integer(0, 9);
    if (kind <= 3) this.#crash(process);
    else if (kind <= 6) this.#freeze(process);
    else if (kind === 7) this.#stop(process);
    else if (kind === 8 && town.processes.length < 6) this.#start(process.kind);
    else {
      this.#tally.engines++;
      town.engine.failures++;
    }
  }

  #crash(process: Process): void {
    this.#tally.crashes++;
    this.#town.crash(process, this.#dice.chance(0.7));
    this.#restart(process.kind);
  }

  #restart(kind: Kind): void {
    const host = hostOf('supervisor');
    const dueMs = this.#schedule.nowMs + this.#dice.integer(0, 300);
    this.#schedule.at(dueMs, { host, what: 'restart', go: () => this.#start(kind) });
  }

  #freeze(process: Process): void {
    if (process.host.state !== 'alive') return;
    this.#tally.zombies++;
    this.#town.freeze(process);
    const host = hostOf('zombie maker');
    const go = (): void => {
      if (!this.#isCalm && process.host.state === 'frozen') this.#town.thaw(process);
    };
    this.#schedule.at(this.#schedule.nowMs + this.#dice.integer(1, 1_500), { host, what: 'thaw', go });
  }

  #stop(process: Process): void {
    if (process.host.state !== 'alive') return;
    this.#tally.stops++;
    this.#town.stop(process).catch((error: unknown) => this.#town.ended.push(`stop: ${String(error)}`));
    this.#restart(process.kind);
  }

  /** Grants steps until every input is answered and committed. @returns what is still open when the time is up */
  async #rest(): Promise<readonly string[]> {
    const endMs = this.#schedule.nowMs + REST_MS_MAX;
    for (;;) {
      const open = await openIn(this.#town, this.#world, this.#pipeline);
      if (open.length === 0) return [];
      if (this.#schedule.nowMs > endMs || this.#schedule.steps > STEPS_MAX)
        return [`everything comes to rest: after ${REST_MS_MAX} ms ${open.join(', ')}`];
      await this.#pass(LOOK_MS);
    }
  }

  async #pass(ms: number): Promise<void> {
    const untilMs = this.#schedule.nowMs + ms;
    while (this.#schedule.nowMs < untilMs && (await this.#schedule.grant()));
  }

  /**
   * It need not be quiet at once: a frozen process keeps its tasks until its session ends, and their heirs say how far they
   * are. What two tasks answer each other for ever is never quiet.
   */
  async #staysQuiet(): Promise<readonly string[]> {
    const begun = this.#schedule.steps;
    for (let looks = 0; looks < QUIET_LOOKS_MAX && this.#schedule.steps - begun < QUIET_STEPS_MAX; looks++) {
      await this.#pass(QUIET_MS);
      const before = await endsIn(this.#town, this.#world);
      await this.#pass(QUIET_MS);
      if (before === (await endsIn(this.#town, this.#world))) return [];
    }
    return ['a quiet pipeline writes nothing: something was written'];
  }

  async #end(): Promise<readonly string[]> {
    await this.#town.ask(Promise.all(this.#town.processes.map(process => this.#town.leave(process))));
    await this.#pass(LEFT_MS);
    const { waiting } = this.#schedule;
    return waiting.length === 0 ? [] : [`nothing is left behind: ${waiting.slice(0, 5).join(', ')}`];
  }
}
