/** What each process of a chain used, as figures side by side. Pure. */
import { type Cost, costOf, type Sample } from '../figures.ts';
import type { Memory } from '../linux/usage.ts';
import { SERVICES, type ServiceName } from '../world/service.ts';
import { MEASURED } from './chain.ts';

type Measured = (typeof MEASURED)[number] | 'broker';

/** Cores that each kept busy, CPU seconds for a million payments, and memory of the services. */
export type Usage = Readonly<
  Record<`${Measured}Cores` | `${Measured}CpuPerMillion` | `${ServiceName}AnonymousMb` | `${ServiceName}RssMaxMb`, number>
>; // prettier-ignore

const PROCESSES = [...MEASURED, 'broker'] as const;

export const USAGE_FIGURES: readonly (keyof Usage)[] = [
  ...PROCESSES.map(name => `${name}CpuPerMillion` as const),
  ...PROCESSES.map(name => `${name}Cores` as const),
  ...SERVICES.map(name => `${name}AnonymousMb` as const),
  ...SERVICES.map(name => `${name}RssMaxMb` as const),
];

export interface Used {
  readonly usage: Usage;
  /** Of each process, in the order of `MEASURED`. */
  readonly costs: readonly Cost[];
}

/** @param looks each a sample of every process, in the order of `MEASURED` */
export const usageOf = (
  looks: readonly (readonly Sample[])[],
  coresOfMachine: number,
  memory: Readonly<Record<ServiceName, Memory>>,
): Used => {
  const costs = MEASURED.map((_, i) =>
    costOf(
      looks.map(samples => samples[i]!),
      coresOfMachine,
    ),
  );
  const [{ brokerCpuSecondsPerMillion, recordsPerSecond }] = costs as [Cost];
  const figures: Partial<Record<keyof Usage, number>> = {
    brokerCpuPerMillion: brokerCpuSecondsPerMillion,
    brokerCores: Number(((brokerCpuSecondsPerMillion * recordsPerSecond) / 1e6).toFixed(2)),
  };
  MEASURED.forEach((name, i) => {
    figures[`${name}CpuPerMillion`] = costs[i]!.cpuSecondsPerMillion;
    figures[`${name}Cores`] = costs[i]!.cores;
  });
  for (const name of SERVICES) {
    figures[`${name}AnonymousMb`] = memory[name].anonymousMb;
    figures[`${name}RssMaxMb`] = memory[name].rssMaxMb;
  }
  return { usage: figures as Usage, costs };
};
