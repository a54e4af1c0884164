/** How much a group of N processes does, and what it costs. */
import { topicsOf } from '@millrace/contracts';
import { account, type Account } from '../check.ts';
import { type Cost, costOf, disturbance, type Sample } from '../figures.ts';
import { coresOfMachine, memoryOf } from '../linux/usage.ts';
import { fill } from '../load/publish.ts';
import { samplesOf, watched } from '../watch.ts';
import { type Course, withTeam } from './team.ts';

export interface ScaleRound extends Cost {
  readonly processes: number;
  /** Of the process that had most. */
  readonly anonymousMb: number;
  readonly disturbed: string | undefined;
  readonly account: Account;
}

/** Of what was put there: processes with fewer records than others are through before them, and the rest is not of N any more. */
const COUNTED_SHARE = 0.9;

/** One look at all processes as if they were one. A process that is held waits for its turn, which says nothing of others. */
const together = (samples: readonly Sample[], isHeld: boolean): Sample => ({
  ...samples[0]!,
  cpuS: samples.reduce((sum, one) => sum + one.cpuS, 0),
  runQueueS: isHeld ? 0 : Math.max(...samples.map(one => one.runQueueS)),
});

/** A backlog is put there at once; what counts is from then on. */
export const scaleRound = async (
  course: Course,
  processes: number,
  first: number,
): Promise<{ readonly round: ScaleRound; readonly next: number }> => {
  const { world, options, load, scores } = course;
  const { records, cores } = options;
  const outTopic = topicsOf(world.pipeline).predictions;
  return withTeam(course, processes, first, async team => {
    const { children, outFrom, next } = team;
    const to = next + records;
    await fill(world.broker, load, next, to);
    const all = children.map(watched);
    const look = (answered: number): Sample => together(samplesOf(world, all, answered), cores !== undefined);
    const samples = await team.until(to, children, look);
    const counted = samples.filter(one => one.records <= next - first + records * COUNTED_SHARE);
    const cost = costOf(counted, coresOfMachine());
    const anonymousMb = Math.max(...children.map(({ pid }) => memoryOf(pid).anonymousMb));
    const answers = await account(world, { from: first, to, outTopic, outFrom, scores });
    const round = { processes, ...cost, anonymousMb, disturbed: disturbance(cost), account: answers };
    return { round, next: to };
  });
};
