import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { slotAfter, slotsWithin } from '../src/index.ts';

const BERLIN = 'Europe/Berlin';
const at = (text: string): number => Date.parse(text);
const iso = (times: readonly number[]): string[] => times.map(ms => new Date(ms).toISOString().slice(0, 16));

/** The first times after one, one after the other. */
const following = (cron: string, timeZone: string, from: string, count: number): string[] => {
  const found: number[] = [];
  for (let ms = at(from); found.length < count; found.push(ms)) ms = slotAfter({ cron, timeZone }, ms)!;
  return iso(found);
};

/**
 * From outside. `systemd-analyze calendar --iterations=4 --base-time='… UTC' '*-*-* 02:30:00 ZONE'` (systemd 252, tzdata
 * 2025b) gives each of these but the one in a gap, which systemd leaves out. There cron(8) decides: jobs at a particular
 * time "that would have run in the interval that has been skipped will be run immediately"; the interval ends at the
 * moment of the tz database, 01:00 UTC on the last Sunday of March in the European Union.
 */
const NAMED_OUTRIGHT: readonly (readonly [zone: string, cron: string, from: string, due: readonly string[]])[] = [
  [BERLIN, '30 2 * * *', '2026-03-27T12:00Z', ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30', '2026-03-31T00:30']],
  [BERLIN, '30 2 * * *', '2026-10-23T12:00Z', ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30', '2026-10-27T01:30']],
  ['America/New_York', '30 1 * * *', '2026-10-30T12:00Z', ['2026-10-31T05:30', '2026-11-01T05:30', '2026-11-02T06:30', '2026-11-03T06:30']],
  // Clocks change by half an hour.
  ['Australia/Lord_Howe', '45 1 * * *', '2026-04-03T12:00Z', ['2026-04-03T14:45', '2026-04-04T14:45', '2026-04-05T15:15', '2026-04-06T15:15']],
  ['Asia/Taipei', '30 1 * * *', '2026-03-27T12:00Z', ['2026-03-27T17:30', '2026-03-28T17:30', '2026-03-29T17:30', '2026-03-30T17:30']],
]; // prettier-ignore

describe('times of nights', () => {
  test.each(NAMED_OUTRIGHT)('%s, %s from %s', (timeZone, cron, from, due) => {
    expect(following(cron, timeZone, from, due.length)).toEqual(due);
    const last = at(`${due.at(-1)}Z`);
    expect(iso(slotsWithin({ cron, timeZone }, at(from), last, 10))).toEqual(due);
    expect(iso(slotsWithin({ cron, timeZone }, at(from), last - 1, 10))).toEqual(due.slice(0, -1));
    expect(iso(slotsWithin({ cron, timeZone }, at(`${due[0]}Z`), last, 2))).toEqual(due.slice(-2));
  });

  test('a list of hours is named outright too, and what falls into one gap comes once', () => {
    expect(following('0,30 2 * * *', BERLIN, '2026-03-28T12:00Z', 3)).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T00:00',
      '2026-03-30T00:30',
    ]);
    expect(following('0,30 2 * * *', BERLIN, '2026-10-24T12:00Z', 3)).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T00:30',
      '2026-10-26T01:00',
    ]);
  });

  test('what recurs goes by real time: every hour is an hour after the last', () => {
    for (const from of ['2026-03-28T20:00Z', '2026-10-24T20:00Z']) {
      const due = following('0 * * * *', BERLIN, from, 12);
      expect(due).toEqual(iso(due.map((_, i) => at(from) + (i + 1) * 3_600_000)));
    }
  });

  test('looking back finds what looking forward found, in every zone and at every change', () => {
    const zones = fc.constantFrom(BERLIN, 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Casablanca', 'UTC');
    const crons = fc.constantFrom('30 2 * * *', '0 * * * *', '*/20 1-3 * * *', '15 0 * * 1', '59 23 28-31 * *');
    const days = fc.integer({ min: 0, max: 1_500 });
    fc.assert(
      fc.property(zones, crons, days, fc.integer({ min: 1, max: 40 }), (timeZone, cron, day, count) => {
        const fromMs = at('2024-01-01T00:00Z') + day * 86_400_000;
        const forward: number[] = [];
        for (let ms = fromMs; forward.length < count; forward.push(ms)) ms = slotAfter({ cron, timeZone }, ms)!;
        expect(slotsWithin({ cron, timeZone }, fromMs, forward.at(-1)!, count + 5)).toEqual(forward);
      }),
      { numRuns: 40 },
    );
  });
}); // prettier-ignore
