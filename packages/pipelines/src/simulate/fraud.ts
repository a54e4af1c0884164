/**
 * Simulated card payments, labels and fraud. Nothing here is real, and no published generator was followed.
 *
 * People live on a map of 100 x 100 km, have a level of spending, a rhythm over the day and the week, and use terminals
 * near their homes. Three kinds of fraud happen to them:
 * - `burst`: a stolen card is used many times within hours, far from home, with growing amounts;
 * - `terminal`: a tampered terminal turns a share of its payments into frauds for some days;
 * - `takeover`: somebody else spends with an account for days, at several times its usual level.
 * Each payment is labelled `labelDelayDays` after it happened. Events come in order time: payments by their own time,
 * labels by the time at which they become known, labels first where the times are equal.
 */
import { type Random, seededRandom } from './random.ts';

export interface SimulatedTransaction {
  readonly eventId: string;
  readonly sequence: number;
  readonly txAt: number;
  readonly customerId: string;
  readonly terminalId: string;
  readonly amount: number;
}
export interface SimulatedLabel extends Omit<SimulatedTransaction, 'amount'> {
  readonly knownAt: number;
  readonly isFraud: boolean;
}
export type SimulatedEvent =
  | { readonly stream: 'transactions'; readonly value: SimulatedTransaction }
  | { readonly stream: 'labels'; readonly value: SimulatedLabel };

export interface FraudSimulation {
  readonly seed: number;
  readonly customers: number;
  readonly terminals: number;
  /** Event time of the first day, milliseconds since the epoch, at midnight UTC. */
  readonly startAt: number;
  readonly days: number;
  readonly labelDelayDays: number;
  /** Frauds begun a day for each thousand customers, of each kind. */
  readonly burstsPerThousand: number;
  readonly tampersPerThousand: number;
  readonly takeoversPerThousand: number;
}

export const FRAUD_SIMULATION: FraudSimulation = {
  seed: 1,
  customers: 500,
  terminals: 200,
  startAt: Date.UTC(2026, 0, 5),
  days: 30,
  labelDelayDays: 7,
  burstsPerThousand: 0.5,
  tampersPerThousand: 1,
  takeoversPerThousand: 0.5,
};

const DAY_MS = 86_400_000;
const MAP_KM = 100;
/** Share of a day's payments begun in each hour: few at night, peaks at noon and in the early evening. */
const HOURS = [1, 1, 1, 1, 1, 2, 5, 9, 12, 12, 13, 16, 19, 17, 14, 13, 15, 19, 21, 17, 12, 8, 5, 3];
const HOURS_SUM = HOURS.reduce((sum, weight) => sum + weight, 0);

interface Place {
  readonly x: number;
  readonly y: number;
}
interface Customer extends Place {
  readonly id: string;
  readonly perDay: number;
  readonly amountTypical: number;
  readonly nearby: readonly number[];
  takenOver: { readonly until: number; readonly factor: number } | undefined;
}
interface World {
  readonly options: FraudSimulation;
  readonly random: Random;
  readonly customers: readonly Customer[];
  readonly terminals: readonly Place[];
  /** Tampered terminals: until when, and the share of payments that are frauds. */
  readonly tampered: Map<number, { readonly until: number; readonly share: number }>;
}
type Draft = Omit<SimulatedTransaction, 'eventId' | 'sequence'> & { readonly isFraud: boolean };

const cents = (amount: number): number => Math.max(1, Math.round(amount * 100)) / 100;
const terminalId = (index: number): string => `T${String(index).padStart(5, '0')}`;

const makeWorld = (options: FraudSimulation): World => {
  const random = seededRandom(options.seed);
  const place = (): Place => ({ x: random.between(0, MAP_KM), y: random.between(0, MAP_KM) });
  const terminals = Array.from({ length: options.terminals }, place);
  const customers = Array.from({ length: options.customers }, (_, index): Customer => {
    const home = place();
    const byDistance = terminals
      .map((t, at) => ({ at, km: Math.hypot(t.x - home.x, t.y - home.y) }))
      .toSorted((a, b) => a.km - b.km || a.at - b.at);
    return {
      ...home,
      id: `C${String(index).padStart(6, '0')}`,
      perDay: random.between(0.3, 3),
      amountTypical: Math.exp(3.4 + 0.7 * random.normal()),
      nearby: byDistance.slice(0, random.integer(4, 15)).map(t => t.at),
      takenOver: undefined,
    };
  });
  return { options, random, customers, terminals, tampered: new Map() };
};

const timeOfDay = (random: Random): number => {
  let weight = random.next() * HOURS_SUM;
  let hour = 0;
  while (weight >= HOURS[hour]!) weight -= HOURS[hour++]!;
  return hour * 3_600_000 + Math.floor(random.next() * 3_600_000);
};

/** Begins the frauds of a day; a burst's payments are complete at once, the others colour the day's usual ones. */
const beginFrauds = (world: World, dayAt: number): Draft[] => {
  const { options, random, customers, terminals, tampered } = world;
  const thousands = options.customers / 1000;
  for (let n = random.poisson(options.tampersPerThousand * thousands); n > 0; n--)
    tampered.set(random.integer(0, terminals.length - 1), {
      until: dayAt + random.integer(5, 20) * DAY_MS,
      share: random.between(0.3, 0.9),
    });
  for (let n = random.poisson(options.takeoversPerThousand * thousands); n > 0; n--)
    customers[random.integer(0, customers.length - 1)]!.takenOver = {
      until: dayAt + random.integer(3, 12) * DAY_MS,
      factor: random.between(3, 8),
    };
  const drafts: Draft[] = [];
  for (let n = random.poisson(options.burstsPerThousand * thousands); n > 0; n--) {
    const victim = customers[random.integer(0, customers.length - 1)]!;
    let at = dayAt + random.integer(0, DAY_MS / 2);
    let amount = victim.amountTypical * random.between(0.5, 1.5);
    for (let k = random.integer(5, 14); k > 0; k--) {
      drafts.push({
        txAt: at,
        customerId: victim.id,
        terminalId: terminalId(random.integer(0, terminals.length - 1)),
        amount: cents(amount),
        isFraud: true,
      });
      at += random.integer(60_000, 1_800_000);
      amount *= random.between(1.1, 1.6);
    }
  }
  return drafts;
};

const usualPayments = (world: World, dayAt: number): Draft[] => {
  const { random, customers, tampered } = world;
  const weekend = new Date(dayAt).getUTCDay() % 6 === 0;
  const drafts: Draft[] = [];
  for (const customer of customers) {
    const takenOver =
      customer.takenOver !== undefined && customer.takenOver.until > dayAt ? customer.takenOver : undefined;
    for (let n = random.poisson(customer.perDay * (weekend ? 1.25 : 0.9)); n > 0; n--) {
      const terminal = customer.nearby[random.integer(0, customer.nearby.length - 1)]!;
      const thief = takenOver !== undefined && random.chance(0.5);
      const trap = tampered.get(terminal);
      const trapped = trap !== undefined && trap.until > dayAt && random.chance(trap.share);
      const usual = customer.amountTypical * Math.exp(0.5 * random.normal());
      drafts.push({
        txAt: dayAt + timeOfDay(random),
        customerId: customer.id,
        terminalId: terminalId(terminal),
        amount: cents(thief ? usual * takenOver.factor : usual),
        isFraud: thief || trapped,
      });
    }
  }
  return drafts;
};

/** Yields `days` days of payments and, behind them, the labels that become known within those days. */
export function* simulateFraud(options: FraudSimulation = FRAUD_SIMULATION): Generator<SimulatedEvent> {
  const world = makeWorld(options);
  const labels: SimulatedLabel[] = [];
  let labelNext = 0;
  let sequence = 0;
  for (let day = 0; day < options.days; day++) {
    const dayAt = options.startAt + day * DAY_MS;
    const drafts = [...beginFrauds(world, dayAt), ...usualPayments(world, dayAt)].filter(
      d => d.txAt < dayAt + DAY_MS,
    );
    for (const { isFraud, ...draft } of drafts.toSorted((a, b) => a.txAt - b.txAt)) {
      while (labelNext < labels.length && labels[labelNext]!.knownAt <= draft.txAt)
        yield { stream: 'labels', value: labels[labelNext++]! };
      const value = { eventId: `tx-${options.seed}-${sequence}`, sequence, ...draft };
      sequence++;
      const { amount: _, ...labelled } = value;
      labels.push({ ...labelled, knownAt: value.txAt + options.labelDelayDays * DAY_MS, isFraud });
      yield { stream: 'transactions', value };
    }
  }
}
