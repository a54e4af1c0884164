import {
  controlKey,
  controlRecord,
  MILLRACE_TOPICS,
  type ControlEntry,
  type ControlRecord,
} from '@millrace/contracts';
import { type Codec, openCodec } from '@millrace/avro';
import type { Pipeline } from '@millrace/define';
import { FEATURE_DEFAULTS, featureService } from '@millrace/feature';
import { inferenceService } from '@millrace/inference';
import type { SeededRandom } from '@millrace/pipelines';
import type { Component } from '@millrace/runtime';
import { type MemoryBroker, memoryBroker, type OutRecord, type Producer } from '@millrace/stream';
import { type Clock, noLogger, noMetrics } from '@millrace/telemetry';
import { type Clocks, offAt } from './clocks.ts';
import { type Engine, modelSource } from './model.ts';
import { type Host, hostOf, type Schedule, settled } from './schedule.ts';
import { type Marks, Reading } from './reading.ts';
import { type RulesChange, routesOf } from './rules.ts';
import type { Sent } from './traffic.ts';
import type { World } from './world.ts';

export type Kind = 'feature' | 'inference';

/** One instance of a service, as a process would be. */
export interface Process {
  readonly kind: Kind;
  readonly host: Host;
  /** Its requests on their way. */
  readonly wire: Host;
  readonly client: MemoryBroker;
  readonly component: Component;
  /** Aborted when it is told to stop, or has ended. */
  readonly stopping: AbortController;
  /** Its orderly stop, from when it was asked for. */
  left?: Promise<void>;
}

export interface TownOptions {
  readonly pipeline: Pipeline;
  readonly epochMarginMs: number;
  readonly epochsAheadMax: number;
  /** Of the lanes of inference. */
  readonly marks: Marks;
  readonly clocks: Clocks;
  readonly sessionMs: number;
  readonly runRecordsMax: number;
}

const STOP_MS_MAX = 3_000;

/** A cluster, and the processes on it. */
export class Town {
  readonly schedule: Schedule;
  readonly outside: MemoryBroker;
  readonly engine: Engine = { failures: 0, calls: 0 };
  readonly reading: Reading;
  readonly processes: Process[] = [];
  /** Chance that a call of a service is lost, on its way or on the way back. */
  losses = 0;
  lost = 0;
  rebalances = 0;
  /** Records of producers outside on their way to the broker, and commands of the operator that have not ended. */
  underWay = 0;
  /** Errors that ended a process of themselves. */
  readonly ended: string[] = [];
  readonly #world: World;
  readonly #dice: SeededRandom;
  readonly #options: TownOptions;
  readonly #hosts = new Map<string, Pick<Process, 'host' | 'wire'>>();
  #control: Codec<ControlRecord> | undefined;
  readonly #cluster = hostOf('cluster');
  #started = 0;

  constructor(world: World, schedule: Schedule, dice: SeededRandom, outside: Host, options: TownOptions) {
    this.schedule = schedule;
    this.reading = new Reading(() => schedule.nowMs);
    this.#world = world;
    this.#dice = dice;
    this.#options = options;
    this.outside = memoryBroker({
      clock: this.#clockOf(this.#cluster, () => offAt(options.clocks, schedule.nowMs)),
      runRecordsMax: options.runRecordsMax,
      schedule: (go, { kind, client, what }) => {
        const of = this.#hosts.get(client ?? '');
        if (what === 'rebalance') this.rebalances++;
        const host =
          client === undefined
            ? this.#cluster
            : of === undefined
              ? outside
              : kind === 'request'
                ? of.wire
                : of.host;
        schedule.add({ host, what, go });
      },
      loses: ({ client }) => {
        if (this.losses === 0 || client === undefined || !this.#hosts.has(client)) return false;
        const lost = dice.chance(this.losses);
        if (lost) this.lost++;
        return lost;
      },
    });
  }

  get epochsAheadMax(): number {
    return this.#options.epochsAheadMax;
  }

  get clocks(): Clocks {
    return this.#options.clocks;
  }

  /** Time passes for it as for everybody; what it tells is off by some milliseconds. */
  #clockOf(host: Host, offMs: () => number): Clock {
    const clock = this.schedule.clockOf(host);
    return { ...clock, now: () => clock.now() + offMs() };
  }

  /** Grants steps until it is settled. */
  async ask<T>(asked: Promise<T>): Promise<T> {
    const answer = { isOpen: true };
    const close = (): void => {
      answer.isOpen = false;
    };
    asked.then(close, close);
    await settled();
    while (answer.isOpen)
      if (!(await this.schedule.grant())) throw new Error('nothing is left to do, and no answer has come');
    return asked;
  }

  async open(): Promise<void> {
    const { pipeline } = this.#options;
    const topics = this.#world.catalogue.map(({ name, partitions, config }) => ({
      name,
      partitions: name.startsWith('millrace.') ? partitions : pipeline.partitions,
      config,
    }));
    await this.ask(this.outside.admin.createTopics(topics));
    const { value } = this.#world.catalogue.find(({ name }) => name === MILLRACE_TOPICS.control)!;
    this.#control = await openCodec<ControlRecord>(this.#world.registry, value!);
    const alias = { model: pipeline.model.name, version: '1' };
    const producer = await this.ask(this.outside.producer());
    await this.ask(
      producer.send([
        this.#controlRecord({ kind: 'model-alias', name: 'champion', value: alias, revision: 1 }),
      ]),
    );
  }

  #controlRecord(change: Pick<ControlEntry, 'kind' | 'name' | 'value' | 'revision'>): OutRecord {
    const common = { pipeline: this.#options.pipeline.name, at: 0, by: 'test', why: 'test' };
    const record = controlRecord({ ...common, ...change } as ControlEntry);
    const key = Buffer.from(controlKey(record));
    return { topic: MILLRACE_TOPICS.control, partition: 0, key, value: this.#control!.encode(record) };
  }

  /** An operator sets these rules at these times. */
  async setRules(changes: readonly RulesChange[]): Promise<void> {
    if (changes.length === 0) return;
    const producer = await this.ask(this.outside.producer());
    // Whoever sets rules knows of those before: where two are due at once, the later is not set before the other is there.
    const setFrom = (i: number): void => {
      const change = changes[i];
      if (change === undefined) return;
      const { atMs, version } = change;
      const value = { version, rules: routesOf(change) };
      const record = this.#controlRecord({ kind: 'routes', name: 'default', value, revision: version + 1 });
      const go = (): void => void this.#send(producer, record).then(() => setFrom(i + 1));
      this.schedule.at(atMs, { host: this.#cluster, what: 'rules', go });
    };
    setFrom(0);
  }

  async #send(producer: Producer, record: OutRecord): Promise<void> {
    this.underWay++;
    await producer.send([record]);
    this.underWay--;
  }

  /** Producers outside publish at these times. */
  async publish(sent: readonly Sent[]): Promise<void> {
    const producer = await this.ask(this.outside.producer());
    const { events } = this.#world.topics;
    for (const { n, atMs, stream, partition, key, value } of sent)
      this.schedule.at(atMs, {
        host: this.#cluster,
        what: 'publish',
        go: () => {
          const headers = [['n', Buffer.from(String(n))] as const];
          void this.#send(producer, { topic: events[stream]!, partition, key, value, headers });
        },
      });
  }

  /** A process of this name, and its connection. */
  connect(name: string): Pick<Process, 'client' | 'host' | 'wire'> {
    const client = this.outside.connect();
    const host = hostOf(name);
    const wire = hostOf(`${name} to broker:`);
    this.#hosts.set(client.name, { host, wire });
    return { client, host, wire };
  }

  start(kind: Kind): Process {
    const name = `${kind}-${++this.#started}`;
    const { client, host, wire } = this.connect(name);
    const stopping = new AbortController();
    const component = this.#component(kind, client, host, stopping.signal);
    const process: Process = { kind, host, wire, client, component, stopping };
    this.processes.push(process);
    this.schedule.current = host;
    const ended = (error: unknown): void => {
      if (process.stopping.signal.aborted) return;
      this.ended.push(`${name}: ${(error as Error).stack ?? String(error)}`);
      this.crash(process, true);
    };
    component.failed?.catch(ended);
    component.start(process.stopping.signal).catch(ended);
    return process;
  }

  #component(kind: Kind, client: MemoryBroker, host: Host, stopping: AbortSignal): Component {
    const { pipeline, epochMarginMs, epochsAheadMax, marks, clocks, sessionMs } = this.#options;
    const skewMs = this.#dice.integer(-clocks.skewMsMax, clocks.skewMsMax);
    const common = {
      broker: this.reading.watch(
        client,
        { name: host.name, stopping },
        kind === 'feature' ? undefined : marks,
      ),
      registry: this.#world.registry,
      clock: this.#clockOf(host, () => skewMs),
      random: () => this.#dice.next(),
      metrics: noMetrics,
      logger: noLogger,
    };
    if (kind === 'feature')
      return featureService({
        ...common,
        pipeline,
        config: { ...FEATURE_DEFAULTS, epochMarginMs, epochsAheadMax, sessionTimeoutMs: sessionMs },
      });
    return inferenceService({
      ...common,
      pipelines: [pipeline],
      models: modelSource(pipeline, this.engine),
      instance: host.name,
      config: { laneRowsMax: marks.rows, laneBytesMax: marks.bytes, sessionTimeoutMs: sessionMs },
    });
  }

  /** Its members go silent; nothing of it goes on. What it has sent arrives, or not. */
  crash(process: Process, wireLasts: boolean): void {
    if (process.host.state === 'dead') return;
    process.stopping.abort(new Error('the process has ended'));
    process.client.silence();
    this.schedule.kill(process.host);
    if (!wireLasts) this.schedule.kill(process.wire);
    this.processes.splice(this.processes.indexOf(process), 1);
  }

  freeze({ client, host }: Process): void {
    client.silence();
    this.schedule.freeze(host);
  }

  /** It goes on where it was; that it may have lost its membership it learns some steps later. */
  thaw({ client, host }: Process): void {
    this.schedule.thaw(host);
    const learnMs = this.schedule.nowMs + this.#dice.integer(0, 100);
    this.schedule.at(learnMs, { host, what: 'is back', go: () => client.speak() });
  }

  /** SIGTERM: it leaves in order. */
  async stop(process: Process): Promise<void> {
    await this.leave(process);
    this.crash(process, true);
  }

  /** What it does in order to stop, and not its end: what it has forgotten to end goes on to be seen. Once, whoever asks. */
  leave(process: Process): Promise<void> {
    process.left ??= this.#leave(process);
    return process.left;
  }

  async #leave({ component, client, host, stopping }: Process): Promise<void> {
    this.schedule.current = host;
    stopping.abort(new Error('SIGTERM'));
    await component.stop(STOP_MS_MAX);
    // What it could not say, the end of its session says.
    await client.close().catch(() => undefined);
  }
}
