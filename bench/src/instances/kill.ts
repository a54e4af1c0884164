/** What becomes of answers when one of several processes is killed, beside what `millrace capacity simulate` says of it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { topicsOf } from '@millrace/contracts';
import { account, type Account, type Answer } from '../check.ts';
import { appendTimes, follow, MARKERS_MS, Sightings } from '../follow.ts';
import { paced } from '../load/publish.ts';
import { ROOT } from '../world/service.ts';
import { type Aftermath, aftermathOf, type Passage } from './aftermath.ts';
import { type Course, type Team, withTeam } from './team.ts';

type Simulated = Omit<Aftermath, 'lagBefore'>;

export interface Kill {
  readonly processes: number;
  readonly recordsPerSecond: number;
  /** Most that one process does, by the rounds before. */
  readonly processRate: number;
  readonly measured: Aftermath;
  readonly simulated: Simulated;
  readonly account: Account;
}

const KILLED_AFTER_S = 8;
/** Longer than a session, a rebalance, and catching up at twice the rate. */
const LOAD_S = 45;
const SESSION = 'INFERENCE_SESSION_TIMEOUT_MS';

/** The command as its users give it. */
const simulated = async (
  { options, world }: Course,
  { processes, recordsPerSecond, processRate }: Pick<Kill, 'processes' | 'recordsPerSecond' | 'processRate'>,
): Promise<Simulated> => {
  const session = options.settings[SESSION];
  const flags = {
    service: 'inference',
    output: 'json',
    instances: processes,
    partitions: world.pipeline.partitions,
    rate: recordsPerSecond,
    'process-rate': processRate,
    for: `${LOAD_S}s`,
    kill: `${KILLED_AFTER_S}s`,
    ...(session !== undefined && { session: `${session}ms` }),
  };
  const given = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const command = [join(ROOT, 'services/cli/src/main.ts'), 'capacity', 'simulate', ...given];
  const { stdout } = await promisify(execFile)(process.execPath, command);
  const { waits, lagMost, aftermath } = JSON.parse(stdout) as {
    readonly waits: { readonly mostMs: number };
    readonly lagMost: number;
    readonly aftermath: readonly [{ readonly caughtUpMs?: number | null }];
  };
  const caughtUpMs = aftermath[0].caughtUpMs ?? undefined;
  return { mostMs: Math.round(waits.mostMs), lagMost: Math.round(lagMost), caughtUpMs };
};

/** Runs the rate, kills the last process meanwhile, and waits until those that are left have answered everything. */
const driven = async ({ world, load }: Course, team: Team, recordsPerSecond: number) => {
  const { broker, clock, signal } = world;
  const { children, next, outFrom } = team;
  const over = new AbortController();
  const seen = new Sightings();
  const reading = follow(world, outFrom, seen, over.signal);
  try {
    const pace = { recordsPerSecond, clock, signal, from: next, seconds: LOAD_S };
    const kill = async (): Promise<number> => {
      await clock.sleep(KILLED_AFTER_S * 1_000, signal);
      process.kill(children.at(-1)!.pid, 'SIGKILL');
      return clock.now();
    };
    const [to, killedMs] = await Promise.all([paced(broker, load, pace), kill()]);
    const untilMs = clock.now();
    await team.until(to, children.slice(0, -1), () => undefined);
    await clock.sleep(MARKERS_MS, signal);
    return { to, killedMs, untilMs, seen };
  } finally {
    over.abort();
    await reading;
  }
};

/** @param processRate records/s of one process; the rate is half of what those that are left can do */
export const killRound = async (course: Course, processRate: number, first: number): Promise<Kill> => {
  const { world, options, load, scores } = course;
  const { processes } = options;
  const recordsPerSecond = Math.round((processRate * (processes - 1)) / 2);
  const outTopic = topicsOf(world.pipeline).predictions;
  return withTeam(course, processes, first, async team => {
    const { to, killedMs, untilMs, seen } = await driven(course, team, recordsPerSecond);
    const appendedMs = await appendTimes(world, load.topic, team.inFrom);
    const passages: Passage[] = [];
    const asked = { from: first, to, outTopic, outFrom: team.outFrom, scores };
    const answers = await account(world, asked, ({ index, partition, vectorOffset, offset }: Answer) => {
      const seenMs = seen.at(partition, offset);
      if (index >= team.next && seenMs !== undefined)
        passages.push({ appendedMs: appendedMs(partition, vectorOffset), seenMs });
    });
    const measured = aftermathOf(passages, killedMs, untilMs);
    const of = { processes, recordsPerSecond, processRate };
    return { ...of, measured, simulated: await simulated(course, of), account: answers };
  });
};
