import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fraud, FRAUD_SIMULATION, simulateFraud } from '@millrace/pipelines';
import { verifyFeatures, type VerifyFlags } from '../../src/commands/verify.ts';
import type { Report } from '../../src/verify/report.ts';
import { reportOf } from '../../src/verify/report.ts';
import { verify } from '../../src/verify/verify.ts';
import { fakeIo } from '../fakeIo.ts';
import { labelsOf, naiveFeatures, type Payment, paymentsOf } from './naive.ts';
import { NAMES, type Sent, Town } from './town.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-verify-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const events = [...simulateFraud({ ...FRAUD_SIMULATION, customers: 15, terminals: 6, days: 18 })];
const payments = paymentsOf(events);
const labels = labelsOf(events);
const onTime = (): Sent[] =>
  events.map(event => ({ event, atMs: event.stream === 'labels' ? (event.value as { knownAt: number }).knownAt : event.value.txAt })); // prettier-ignore
const truth = new Map(payments.map(one => [one.eventId, naiveFeatures(one, payments, labels)]));
const answersOf = (some: readonly Payment[]) =>
  some.map(payment => ({ payment, features: truth.get(payment.eventId)! }));

const FLAGS: VerifyFlags = {
  set: undefined, from: undefined, to: undefined, sample: '1', tolerance: 1e-6, top: 20, html: undefined, metricsFile: undefined, output: 'json',
}; // prettier-ignore
const report = async (
  town: Town,
  flags: Partial<VerifyFlags> = {},
): Promise<Report & { readonly code: number }> => {
  const io = fakeIo();
  const code = await verifyFeatures(io, town.world, fraud, { ...FLAGS, ...flags });
  return { ...(JSON.parse(io.data[0]!) as Report), code };
};
const openTown = async (sent: readonly Sent[] = onTime()): Promise<Town> => {
  const town = await Town.open(FRAUD_SIMULATION.startAt);
  await town.arrive(sent);
  return town;
};
const perFeature = (found: Report) =>
  new Map(found.features.map(({ name, mismatch, missing, extra }) => [name, [mismatch, missing, extra]]));

describe('features that a look through everything gives', () => {
  let town: Town;
  beforeAll(async () => {
    town = await openTown();
    await town.answer(answersOf(payments));
  });

  test('are those that are recomputed, every payment, code 0', async () => {
    const found = await report(town);
    expect([payments.length > 400, found.agrees, found.code]).toEqual([true, true, 0]);
    expect(found.vectors).toEqual({
      matched: payments.length,
      differing: 0,
      missing: 0,
      extra: 0,
      excused: 0,
    });
    expect(found.entities).toBe(new Set(payments.map(({ customerId }) => customerId)).size);
    expect(found.features.map(({ name }) => name)).toEqual(NAMES);
    // Labels count, or there would be nothing to leak.
    expect([...truth.values()].some(of => of['terminalRisk30d']! > 0)).toBe(true);
  });

  test('also where only few events may be in memory at once: the topics are read again', async () => {
    const asked = { pipeline: fraud, set: 1, fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY, sample: 1 };
    const said: string[] = [];
    const options = { asked, tolerance: 1e-6, top: 5, eventsMax: 400, progressed: (line: string) => void said.push(line) };
    expect(reportOf(await verify(town.world, options), 1e-6, 0).vectors.matched).toBe(payments.length);
    expect(said.some(line => /terminalId: 6 keys, reading for the 3\. time/u.test(line))).toBe(true);
    await expect(verify(town.world, { ...options, eventsMax: 20 })).rejects.toThrow('one key alone has more than 20 events');
  }); // prettier-ignore

  test('of some days and some customers, the same in every run', async () => {
    const day = new Date(payments.at(-1)!.txAt).toISOString().slice(0, 10);
    const part = await report(town, { from: day, to: day, sample: '1/3' });
    const again = await report(town, { from: day, to: day, sample: '1/3' });
    expect(again.vectors).toEqual(part.vectors);
    const ofDay = payments.filter(({ txAt }) => new Date(txAt).toISOString().startsWith(day));
    expect([part.agrees, part.vectors.matched > 0, part.vectors.matched < ofDay.length]).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe('what was planted', () => {
  test('is told, feature by feature, as a plain comparison counts it; code 3', async () => {
    const town = await openTown();
    const [changed, hidden, lost, twice] = [payments[300]!, payments[320]!, payments[340]!, payments[360]!];
    const served = new Map(truth);
    served.set(changed.eventId, { ...truth.get(changed.eventId)!, customerTxCount1d: truth.get(changed.eventId)!['customerTxCount1d']! + 1 });
    served.set(hidden.eventId, { ...truth.get(hidden.eventId)!, customerAvgAmount7d: Number.NaN, terminalRisk1d: 0.25 });
    // Less than the tolerance is no difference.
    served.set(twice.eventId, { ...truth.get(twice.eventId)!, amount: twice.amount * (1 + 2e-7) });
    const stranger: Payment = { ...payments[0]!, eventId: 'never-sent' };
    await town.answer([
      ...payments.filter(one => one !== lost).map(payment => ({ payment, features: served.get(payment.eventId)! })),
      { payment: stranger, features: truth.get(payments[0]!.eventId)! },
    ]);
    const found = await report(town);
    const counts = new Map(NAMES.map(name => [name, [0, 0, 0]]));
    for (const { eventId } of payments.filter(one => one !== lost))
      for (const name of NAMES) {
        const [a, b] = [served.get(eventId)![name]!, truth.get(eventId)![name]!];
        if (Number.isNaN(a) && !Number.isNaN(b)) counts.get(name)![1]!++;
        else if (Math.abs(a - b) > 1e-6 * Math.max(1, Math.abs(b))) counts.get(name)![0]!++;
      }
    expect(perFeature(found)).toEqual(counts);
    expect([...counts].filter(([, of]) => of.some(n => n > 0)).map(([name, of]) => [name, ...of])).toEqual([
      ['customerTxCount1d', 1, 0, 0], ['customerAvgAmount7d', 0, 1, 0], ['terminalRisk1d', 1, 0, 0],
    ]);
    expect(found.vectors).toEqual({ matched: payments.length - 3, differing: 2, missing: 1, extra: 1, excused: 0 });
    expect([found.agrees, found.code]).toEqual([false, 3]);
    const causes = found.causes.map(({ outcome, cause, vectors }) => [outcome, cause, vectors]);
    expect(causes).toEqual([['differing', 'other', 2], ['missing', 'no-answer', 1], ['extra', 'no-event', 1]]);
    expect(found.examples.differing.map(({ eventId }) => eventId)).toEqual([hidden.eventId, changed.eventId]);
    expect(found.examples.differing[0]!.features).toContainEqual({ name: 'customerAvgAmount7d', served: null, recomputed: expect.any(Number) });
    expect([found.examples.missing[0]!.eventId, found.examples.extra[0]!.eventId]).toEqual([lost.eventId, 'never-sent']);
  }); // prettier-ignore

  test('stands in the table, on the page and in the metrics file', async () => {
    const town = await openTown();
    const wrong = payments[300]!;
    await town.answer([...answersOf(payments.filter(one => one !== wrong)), { payment: wrong, features: { ...truth.get(wrong.eventId)!, amount: 1e6 } }]);
    const io = fakeIo();
    const [html, metricsFile] = [join(folder, 'page.html'), join(folder, 'skew.prom')];
    expect(await verifyFeatures(io, town.world, fraud, { ...FLAGS, output: 'table', html, metricsFile })).toBe(3);
    expect(io.data[0]).toBe(`Served and recomputed features of fraud, set 1 do not agree on 1 of ${payments.length} vectors (${((100 / payments.length)).toFixed(2)} %): 1 differing.`);
    expect(io.data.find(line => line.startsWith('amount'))).toMatch(/^amount +input +1 +0 +0 /u);
    const page = readFileSync(html, 'utf8');
    expect(page).toContain('amount 1000000 instead of');
    const metrics = readFileSync(metricsFile, 'utf8');
    expect(metrics).toContain('millrace_skew_agrees{pipeline="fraud",set="1"} 0');
    expect(metrics).toContain('millrace_skew_values{pipeline="fraud",set="1",feature="amount",kind="mismatch"} 1');
    expect(metrics).toContain(`millrace_skew_vectors{pipeline="fraud",set="1",outcome="matched"} ${payments.length - 1}`);
    expect(existsSync(`${metricsFile}.half`)).toBe(false);
  }); // prettier-ignore
});

describe('the likely cause', () => {
  /** What each payment was answered with, had it been answered when it came: from what had arrived by then. */
  const asArrived = (sent: readonly Sent[]) => {
    const arrived = new Map(sent.map(({ event, atMs }) => [event, atMs]));
    const at = (one: object): number => arrived.get(events.find(({ value }) => value === one)!)!;
    return payments.map(payment => {
      const nowMs = at(payment);
      const [then, knownThen] = [
        payments.filter(one => at(one) <= nowMs),
        labels.filter(one => at(one) <= nowMs),
      ];
      return { payment, features: naiveFeatures(payment, then, knownThen) };
    });
  };
  const delayed = (isLate: (event: (typeof events)[number]) => boolean, ms: number): Sent[] =>
    onTime().map(one => (isLate(one.event) ? { ...one, atMs: one.atMs + ms } : one)).toSorted((a, b) => a.atMs - b.atMs); // prettier-ignore

  test.each([
    ['late-event', 'transactions', 3 * HOUR_MS],
    ['late-label', 'labels', 2 * DAY_MS],
  ] as const)('is %s where one came so much later', async (cause, stream, ms) => {
    const frauds = new Set(labels.filter(({ isFraud }) => isFraud).map(({ eventId }) => eventId));
    const ids = stream === 'labels' ? frauds : new Set(payments.filter((_, i) => i % 20 === 7).map(one => one.eventId));
    const sent = delayed(event => event.stream === stream && ids.has(event.value.eventId), ms);
    const answers = asArrived(sent);
    const town = await openTown(sent);
    await town.answer(answers);
    const found = await report(town);
    const differing = answers.filter(({ payment, features }) =>
      NAMES.some(name => Math.abs(features[name]! - truth.get(payment.eventId)![name]!) > 1e-6));
    expect(differing.length).toBeGreaterThan(0);
    expect(found.vectors).toMatchObject({ differing: differing.length, missing: 0, extra: 0 });
    expect(found.causes.map(one => [one.outcome, one.cause, one.vectors])).toEqual([['differing', cause, differing.length]]);
  }); // prettier-ignore

  test('is a correction where one came after the answer, and live epochs where events came together', async () => {
    const of = payments[200]!;
    const after = payments.find(one => one.customerId === of.customerId && one.txAt > of.txAt)!;
    const event = events.find(({ value }) => value === of)!;
    const correction = {
      event,
      atMs: after.txAt + HOUR_MS,
      changes: { revision: 1, amount: of.amount + 100 },
    };
    const town = await openTown([...onTime(), correction].toSorted((a, b) => a.atMs - b.atMs));
    // What came after the correction was answered with it.
    const amended = payments.map(one => (one === of ? { ...of, amount: of.amount + 100 } : one));
    const answers = payments.map(payment => ({
      payment,
      features:
        payment.txAt > correction.atMs
          ? naiveFeatures(payment, amended, labels)
          : truth.get(payment.eventId)!,
    }));
    await town.answer(answers);
    const corrected = await report(town);
    const between = payments.filter(one => one.customerId === of.customerId && one.txAt > of.txAt && one.txAt <= correction.atMs); // prettier-ignore
    expect(corrected.causes.map(one => [one.outcome, one.cause, one.vectors])).toEqual([
      ['differing', 'corrected', between.length],
      ['missing', 'no-answer', 1],
    ]);
    // The correction itself was never answered.
    expect(corrected.examples.missing.map(one => [one.eventId, one.revision, one.cause])).toEqual([
      [of.eventId, 1, 'no-answer'],
    ]);

    const together = await openTown(
      onTime().map(one => ({ ...one, atMs: FRAUD_SIMULATION.startAt + 40 * DAY_MS })),
    );
    const all = answersOf(payments);
    const wrong = all.find(({ payment }) => payment === after)!;
    await together.answer([...all.filter(one => one !== wrong), { ...wrong, features: { ...wrong.features, customerTxCount30d: 0 } }]); // prettier-ignore
    expect((await report(together)).examples.differing.map(({ cause }) => cause)).toEqual(['epoch-order']);
  });

  test('of what the feature service has refused is its dead letter, and no difference', async () => {
    const town = await openTown();
    const late = payments[100]!;
    await town.answer(answersOf(payments.filter(one => one !== late)));
    await town.refuse(late, 'late');
    const found = await report(town);
    expect([found.vectors.missing, found.vectors.excused]).toEqual([0, 1]);
    expect(found.causes.map(({ outcome, cause }) => [outcome, cause])).toEqual([['excused', 'dead-letter']]);
  });

  test('of what is not answered yet is that the stream has not come so far, and no difference', async () => {
    const town = await openTown();
    await town.answer(answersOf(payments.slice(0, -10)));
    const found = await report(town);
    expect(found.vectors).toEqual({
      matched: payments.length - 10,
      differing: 0,
      missing: 0,
      extra: 0,
      excused: 10,
    });
    expect([found.causes.map(({ cause }) => cause), found.code]).toEqual([['not-yet'], 0]);
  });
});
