/** The features of the fraud pipeline by looking through everything for each payment: no code of ours is used. */
import type { SimulatedEvent } from '@millrace/pipelines';

const DAY_MS = 86_400_000;
const DELAY_MS = 7 * DAY_MS;
const WINDOWS = { '1d': DAY_MS, '7d': 7 * DAY_MS, '30d': 30 * DAY_MS } as const;

export interface Payment {
  readonly eventId: string;
  readonly txAt: number;
  readonly sequence: number;
  readonly customerId: string;
  readonly terminalId: string;
  readonly amount: number;
}
export interface Label extends Omit<Payment, 'amount'> {
  readonly knownAt: number;
  readonly isFraud: boolean;
}

export const paymentsOf = (events: readonly SimulatedEvent[]): Payment[] =>
  events.flatMap(({ stream, value }) => (stream === 'transactions' ? [value as Payment] : []));
export const labelsOf = (events: readonly SimulatedEvent[]): Label[] =>
  events.flatMap(({ stream, value }) => (stream === 'labels' ? [value as Label] : []));

const isWithin = (time: number, until: number, windowMs: number): boolean =>
  time > until - windowMs && time <= until;

export const naiveFeatures = (of: Payment, payments: readonly Payment[], labels: readonly Label[]): Record<string, number> => {
  const at = of.txAt;
  const date = new Date(at);
  const found: Record<string, number> = {
    amount: of.amount,
    txDuringWeekend: Number(date.getUTCDay() === 0 || date.getUTCDay() === 6),
    txDuringNight: Number(date.getUTCHours() <= 6),
  };
  const before = payments.filter(one => one.txAt < at || (one.txAt === at && one.sequence <= of.sequence));
  const own = before.filter(({ customerId }) => customerId === of.customerId);
  const there = before.filter(({ terminalId }) => terminalId === of.terminalId);
  const known = labels.filter(({ terminalId, knownAt }) => terminalId === of.terminalId && knownAt <= at);
  for (const [name, windowMs] of Object.entries(WINDOWS)) {
    const mine = own.filter(one => isWithin(one.txAt, at, windowMs));
    found[`customerTxCount${name}`] = mine.length;
    found[`customerAvgAmount${name}`] = mine.reduce((sum, { amount }) => sum + Math.round(amount * 100), 0) / 100 / mine.length;
    found[`terminalTxCount${name}`] = there.filter(one => isWithin(one.txAt, at - DELAY_MS, windowMs)).length;
    const judged = known.filter(one => isWithin(one.txAt, at - DELAY_MS, windowMs));
    found[`terminalRisk${name}`] = judged.length === 0 ? 0 : judged.filter(({ isFraud }) => isFraud).length / judged.length;
  }
  return found;
}; // prettier-ignore
