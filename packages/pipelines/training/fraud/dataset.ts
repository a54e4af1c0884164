/**
 * Writes training rows as CSV to stdout: features as they are known at each payment, by the same code that serves them,
 * and whether the payment was a fraud. Simulated data; see `src/simulate/fraud.ts`.
 *
 *   node packages/pipelines/training/fraud/dataset.ts > fraud.csv
 */
import { once } from 'node:events';
import { featureNames } from '@millrace/define';
import { compareOrder, compileSet, foldInOrder, readEvent } from '@millrace/features';
import { fraud, FRAUD_SIMULATION, simulateFraud } from '../../src/index.ts';

const SEED = 20_260_105;
const DAYS = 130;
/** The longest window with its delay: before that, windows are not full. */
const WARM_UP_DAYS = 37;

const options = { ...FRAUD_SIMULATION, seed: SEED, customers: 2_000, terminals: 800, days: DAYS };
const simulated = [...simulateFraud({ ...options, days: DAYS + options.labelDelayDays + 1 })];
const isFraud = new Map(
  simulated.flatMap(e => (e.stream === 'labels' ? [[e.value.eventId, e.value.isFraud] as const] : [])),
);

const events = simulated
  .map((e, offset) => readEvent(fraud, e.stream, { ...e.value }, 0, offset))
  .sort(compareOrder);
const set = compileSet(fraud);
const from = options.startAt + WARM_UP_DAYS * 86_400_000;
const until = options.startAt + DAYS * 86_400_000;

process.stdout.write(`day,${featureNames(fraud.features).join(',')},isFraud\n`);
for (const { event, values } of foldInOrder(set, events)) {
  if (event.time < from || event.time >= until) continue;
  const day = Math.floor((event.time - options.startAt) / 86_400_000);
  const line = `${day},${[...values].join(',')},${Number(isFraud.get(event.eventId)!)}\n`;
  if (!process.stdout.write(line)) await once(process.stdout, 'drain');
}
