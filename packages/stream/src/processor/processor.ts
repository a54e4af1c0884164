import type { Processor, ProcessorOptions } from './options.ts';

/** Runs tasks over the partitions that the group gives this process. */
export function processor<In, Out extends object>(options: ProcessorOptions<In, Out>): Processor {
  throw new Error(`not built yet: ${options.group}`);
}
