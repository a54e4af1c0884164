/** `millrace capacity`: cores, memory and partitions for a rate and a wait, by measured figures. */
import { COEFFICIENT_NAMES, type Coefficients, measuredBy } from '../../capacity/coefficients.ts';
import { modelUsOf } from '../../capacity/demand.ts';
import { type Plan, planOf, type ServicePlan } from '../../capacity/plan.ts';
import type { Refusal } from '../../capacity/refuse.ts';
import type { Wish } from '../../capacity/wish.ts';
import { EXIT, type ExitCode, type Io, table, UsageError } from '../../io.ts';
import { coresText, countText, megabytesText, msText, NOT_MEASURED, plainly, secondsText, shareText } from './figures.ts'; // prettier-ignore
import { coefficientsOf, type WishFlags, wishOf } from './wish.ts';

/** @throws UsageError where nothing is known of the model */
export const checkModel = (wish: Wish, coefficients: Coefficients): void => {
  const isAsked = wish.services.includes('inference');
  if (isAsked && Number.isNaN(modelUsOf(wish, measuredBy(coefficients))))
    throw new UsageError(
      `--model-us is needed: nobody has measured the model ${wish.pipeline.model.name}; millrace_model_compute_seconds_sum over millrace_model_batch_rows_sum is what its engine takes`,
    );
};

export const tellRefusals = (io: Io, refusals: readonly Refusal[]): ExitCode => {
  for (const { why, remedy } of refusals) io.say(`refused: ${why}; ${remedy}`);
  return EXIT.failed;
};

const serviceRow = (one: ServicePlan): readonly string[] => [
  one.service,
  countText(one.processes),
  coresText(one.coresMean),
  coresText(one.coresPeak),
  countText(one.recordsPerSPeak),
  countText(one.rateMaxPerProcess),
  shareText(one.load),
  megabytesText(one.memoryMbPerProcess),
  one.limitedBy,
];

const lossRow = ({ service, loss }: ServicePlan): readonly string[] => [
  service,
  secondsText(loss.stillS),
  countText(loss.backlog),
  shareText(loss.load),
  secondsText(loss.catchUpS),
];

const right = (rows: readonly (readonly string[])[]): readonly (readonly string[])[] => {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map(row => row[i]!.length)));
  return rows.map(row => row.map((cell, i) => (/^[\d,.]+( s)?$/.test(cell) ? cell.padStart(widths[i]!) : cell)));
}; // prettier-ignore

const print = (io: Io, header: readonly string[], rows: readonly (readonly string[])[]): void => {
  const [, ...aligned] = right([header, ...rows]);
  for (const line of table(header, aligned)) io.out(line);
  io.out('');
};

const printState = (io: Io, { state }: Plan, wish: Wish): void => {
  if (state === undefined) {
    if (wish.services.includes('feature')) io.out('State: left out; give --keys and --window-rows, or --state-per-key.');
    return;
  }
  const mb = (bytes: number): string => `${megabytesText(bytes / 1e6)}${Number.isNaN(bytes) ? '' : ' MB'}`;
  io.out(`State: ${mb(state.bytes)}; on disk of all processes ${mb(state.diskBytes)}; a partition of the changelog ${mb(state.changelogBytesPerPartition)} at most.`);
  io.out(`A feature process without its folder restores for ${secondsText(state.restoreS)} at most.`);
}; // prettier-ignore

const printRest = (io: Io, plan: Plan, wish: Wish): void => {
  const { bottleneck, p99Parts, partitions, partitionsNeeded } = plan;
  const ofPipeline = wish.pipeline.partitions === partitions ? '' : `; ${wish.pipeline.name} has ${wish.pipeline.partitions}, and those of topics with state cannot be added to while they run`;
  io.out(`Partitions: ${partitions} (${partitionsNeeded} needed)${ofPipeline}.`);
  io.out(`Brokers: ${coresText(plan.brokerCoresMean)} cores, at the peak ${coresText(plan.brokerCoresPeak)}, all together, ${wish.replication} copies.`);
  if (plan.databaseCoresPeak !== undefined) io.out(`Database: ${coresText(plan.databaseCoresPeak)} cores at the peak.`);
  if (p99Parts.length > 0) {
    const parts = p99Parts.map(({ service, ms }) => `${service} ${msText(ms)}`).join(', ');
    io.out(`p99: ${msText(plan.p99Ms)} (${parts})${wish.p99Ms === undefined ? '' : `, wished ${msText(wish.p99Ms)}`}.`);
  }
  printState(io, plan, wish);
  io.out(`Bottleneck: ${bottleneck.service}, full at ${countText(bottleneck.rate)} events/s (${bottleneck.limitedBy}).`);
}; // prettier-ignore

const printPlan = (io: Io, plan: Plan, wish: Wish): void => {
  const header = ['SERVICE', 'PROCESSES', 'CORES', 'AT PEAK', 'RECORDS/S', 'ONE CAN', 'LOAD', 'MB EACH', 'LIMITED BY'];
  print(io, header, plan.services.map(serviceRow));
  print(io, ['ONE IS KILLED', 'STILL', 'BACKLOG', 'LOAD OF A SUCCESSOR', 'CAUGHT UP AFTER'], plan.services.map(lossRow));
  const mb = (bytes: number): string => megabytesText(bytes / 1e6);
  print(io, ['TOPIC', 'MB/S IN', 'MB/S OUT'], plan.topics.map(one => [one.what, mb(one.inBytesPerS), mb(one.outBytesPerS)]));
  printRest(io, plan, wish);
}; // prettier-ignore

export const planCapacity = async (io: Io, flags: WishFlags): Promise<ExitCode> => {
  const wish = wishOf(flags);
  const coefficients = await coefficientsOf(flags);
  checkModel(wish, coefficients);
  const { plan, refusals } = planOf(wish, measuredBy(coefficients));
  if (flags.output === 'json') {
    const { pipeline, ...asked } = wish;
    io.out(JSON.stringify(plainly({ wish: { pipeline: pipeline.name, ...asked }, ...plan, refusals, coefficients })));
  }
  if (plan === undefined) return tellRefusals(io, refusals);
  if (flags.output === 'table') printPlan(io, plan, wish);
  const unknown = COEFFICIENT_NAMES.filter(name => coefficients[name].value === null);
  if (unknown.length > 0) io.say(`${NOT_MEASURED}: ${unknown.join(', ')}; docs/CAPACITY.md says how, --coefficients takes them.`);
  return EXIT.done;
}; // prettier-ignore
