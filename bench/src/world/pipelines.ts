/** Pipelines that the benches run and that do not ship. */
import type { Pipeline } from '@millrace/define';
import type { Delivery } from '../contestants.ts';
import { CONTESTANTS } from '../epochs/pipelines.ts';
import { ONE_KEY } from '../endToEnd/oneKey.ts';
import { customersOf, ROUNDS_MAX } from '../feature/pipeline.ts';
import { ffnnPipeline } from '../peers/ffnn.ts';

/** How predictions of the network are delivered is told by the environment: it is a line of the pipeline. */
export const benchPipelines = (): readonly Pipeline[] => [
  ...CONTESTANTS,
  ONE_KEY,
  ffnnPipeline(process.env['BENCH_DELIVERY'] as Delivery | undefined),
  ...Array.from({ length: ROUNDS_MAX }, (_, i) => customersOf(i + 1)),
];
