import { type Command, Option } from 'commander';
import { PLANNED } from '../../capacity/wish.ts';
import { type Done, notNegative, positive, whole } from '../../flags.ts';
import type { Io } from '../../io.ts';
import { planCapacity } from './plan.ts';
import { killOf, simulateCapacity, stepsOf } from './simulate.ts';
import { duration, servicesOption, withWish } from './wish.ts';

/** `millrace capacity`. */
export const capacityCommands = (program: Command, io: Io, done: Done): void => {
  const capacity = program.command('capacity').description('cores, memory and partitions for a rate and a wait, by measured figures; lag in simulation');
  withWish(capacity.command('plan', { isDefault: true }).description('what it takes, or why it cannot be (docs/CAPACITY.md)'))
    .option('--p99 <ms>', 'longest wait of 99 of 100 answers, from the event on; without feature among the services, from the vector on', positive)
    .addOption(servicesOption())
    .action(o => done(planCapacity(io, o)));
  withWish(capacity.command('simulate').description('lag and waits of one service over hours, by a model of its group'))
    .addOption(new Option('--service <name>', 'which').choices([...PLANNED]).default('feature'))
    .option('--for <time>', 'how long, such as 30m or 24h', duration, 3_600_000)
    .addOption(new Option('--curve <kind>', 'flat: the mean all the time; day: mean and peak, the peak at noon').choices(['flat', 'day']).default('flat'))
    .addOption(new Option('--steps <times>', 'instead: events a second, each from a time on: 0s=1000,1h=5000').argParser(stepsOf).conflicts('curve'))
    .option('--kill <at>', 'a process is killed; AT:BACK-AFTER, and comes back; each the next process', killOf, [])
    .option('--session <time>', 'after which a killed process counts as gone; default: as its service has it', duration)
    .option('--kills-per-day <n>', 'processes killed at random', notNegative, 0)
    .option('--back-after <time>', 'after which those come back', duration, 30_000)
    .option('--backlog <records>', 'records that wait at the beginning', notNegative, 0)
    .option('--process-rate <n>', 'most that one process does, records/s; default: as measured', positive)
    .option('--seed <n>', 'records come at random (Poisson) by it; default: evenly', whole)
    .option('--step <time>', 'of simulated time; default: 10ms to 1s, by --for', duration)
    .option('--samples <n>', 'lines that are printed', positive, 24)
    .action(o => done(simulateCapacity(io, o)));
}; // prettier-ignore
