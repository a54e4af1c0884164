/** What the windows of the shipped views hold, counted from the events themselves, without the code that folds them. Pure. */
import type { FoldEvent } from '@millrace/features';

const DAY_MS = 86_400_000;
const WINDOWS_DAYS = [1, 7, 30] as const;
/** Terminals are judged by what is at least so old. */
const LABEL_DELAY_DAYS = 7;

/** Of nothing it is 0, as the views say. */
const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Values by name for the payment at that place; before it stand the events that were known by then. */
export const countedByHand = (events: readonly FoldEvent[], at: number): Readonly<Record<string, number>> => {
  const { time, fields } = events[at]!;
  const known = events.slice(0, at + 1);
  const ofCustomer = known.filter(
    one => one.stream === 'transactions' && one.fields['customerId'] === fields['customerId'],
  );
  const ofTerminal = known.filter(one => one.fields['terminalId'] === fields['terminalId']);
  const values: Record<string, number> = {};
  for (const days of WINDOWS_DAYS) {
    const within = (of: readonly FoldEvent[], until: number): readonly FoldEvent[] =>
      of.filter(one => one.time > until - days * DAY_MS && one.time <= until);
    const spent = within(ofCustomer, time);
    values[`customerTxCount${days}d`] = spent.length;
    values[`customerAvgAmount${days}d`] = mean(spent.map(one => Number(one.fields['amount'])));
    const old = within(ofTerminal, time - LABEL_DELAY_DAYS * DAY_MS);
    const labels = old.filter(one => one.stream === 'labels');
    values[`terminalTxCount${days}d`] = old.length - labels.length;
    values[`terminalRisk${days}d`] = mean(labels.map(one => Number(one.fields['isFraud'] === true)));
  }
  return values;
};
