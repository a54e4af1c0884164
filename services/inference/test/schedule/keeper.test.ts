import { describe, expect, test } from '@jest/globals';
import { HOUR_MS, MINUTE_MS, scheduled, TownHall } from './townHall.ts';

const BERLIN = {
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
  startWithin: '2h',
  takesAtMost: '1h',
} as const;
const NIGHTLY = { ...BERLIN, cron: '30 1 * * *', timeZone: 'UTC' } as const;
const HOURLY = { ...NIGHTLY, cron: '0 * * * *', startWithin: '30m' } as const;

const times = (hall: TownHall): string[] => hall.begun.map(({ at }) => at);
const NONE = { done: 0, late: 0, overlong: 0, missed: 0, failed: 0 };

describe('through a change of clocks', () => {
  // Where these times come from: packages/define/test/night.test.ts.
  test.each([
    ['spring, 02:30 is not there', '2026-03-27T12:00Z', '2026-03-31T12:00Z', ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30', '2026-03-31T00:30']],
    ['autumn, 02:30 is there twice', '2026-10-23T12:00Z', '2026-10-27T12:00Z', ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30', '2026-10-27T01:30']],
  ])('%s: one night a day, each at its time', async (_, from, until, due) => {
    const hall = new TownHall(BERLIN, from);
    const stop = hall.lead();
    await hall.until(until);
    await stop();
    expect(times(hall)).toEqual(due);
    expect(hall.slots).toEqual(due.map(at => `${at.replaceAll(/[-:]/g, '')}00Z started done`));
    expect(hall.outcomes).toEqual({ ...NONE, done: due.length });
  });

  test('every hour is an hour after the last, also in the hour that is there twice', async () => {
    const hall = new TownHall({ ...BERLIN, cron: '0 * * * *' }, '2026-10-24T22:30Z');
    const stop = hall.lead();
    await hall.until('2026-10-25T03:30Z');
    await stop();
    expect(times(hall)).toEqual(['23:00', '00:00', '01:00', '02:00', '03:00'].map((at, i) => `2026-10-2${i === 0 ? 4 : 5}T${at}`));
  });
}); // prettier-ignore

describe('a start that is missed', () => {
  test('is written down by whoever leads next, with every time that nobody was there', async () => {
    const hall = new TownHall(NIGHTLY, '2026-11-19T12:00Z');
    const stop = hall.lead();
    await hall.until('2026-11-20T12:00Z');
    await stop();
    await hall.until('2026-11-23T05:00Z');
    const again = hall.lead();
    await hall.until('2026-11-23T05:01Z');
    expect(hall.slots.slice(1)).toEqual([
      '20261121T013000Z missed',
      '20261122T013000Z missed',
      '20261123T013000Z missed',
    ]);
    expect(hall.outcomes).toEqual({ ...NONE, done: 1, missed: 3 });
    expect(hall.figures.get('slot_timestamp_seconds missed')).toBe(Date.parse('2026-11-23T01:30Z') / 1_000);
    expect(hall.figures.get('next_timestamp_seconds')).toBe(Date.parse('2026-11-24T01:30Z') / 1_000);
    await hall.until('2026-11-24T05:00Z');
    await again();
    expect(times(hall)).toEqual(['2026-11-20T01:30', '2026-11-24T01:30']);
  });

  test('is made up for within the bound: of several the newest begins late', async () => {
    const hall = new TownHall(NIGHTLY, '2026-11-19T12:00Z');
    await hall.lead()();
    await hall.until('2026-11-22T03:29Z');
    const again = hall.lead();
    await hall.until('2026-11-22T04:00Z');
    await again();
    expect(hall.slots).toEqual([
      '20261120T013000Z missed',
      '20261121T013000Z missed',
      '20261122T013000Z started done',
    ]);
    expect(hall.outcomes).toEqual({ ...NONE, done: 1, late: 1, missed: 2 });
    expect(hall.figures.get('start_delay_seconds')).toBe(119 * 60);
  });

  test('can be made up for by hand: the run of its id counts as done', async () => {
    const hall = new TownHall(NIGHTLY, '2026-11-19T12:00Z');
    await hall.lead()();
    await hall.until('2026-11-20T12:00Z');
    const again = hall.lead();
    await hall.until('2026-11-20T12:01Z');
    expect(hall.outcomes).toEqual({ ...NONE, missed: 1 });
    for (const state of ['captured', 'done']) hall.write('fraud-at-20261120T013000Z', state);
    await hall.until('2026-11-20T12:10Z');
    await again();
    expect(hall.outcomes).toEqual({ ...NONE, done: 1, late: 1 });
    expect(hall.begun).toEqual([]);
  });

  test('times before a schedule was kept, and before it was changed, are not its own', async () => {
    const hall = new TownHall(NIGHTLY, '2026-11-19T12:00Z');
    await hall.lead()();
    hall.pipeline = scheduled({ ...NIGHTLY, cron: '45 3 * * *' });
    await hall.until('2026-11-22T12:00Z');
    const changed = hall.lead();
    await hall.until('2026-11-23T12:00Z');
    await changed();
    expect(hall.slots).toEqual(['20261123T034500Z started done']);
    expect(hall.records.filter(({ state }) => state === 'scheduled').map(({ report }) => report)).toEqual([
      '{"cron":"30 1 * * *","timeZone":"UTC"}',
      '{"cron":"45 3 * * *","timeZone":"UTC"}',
    ]);
  });
});

describe('a run that is longer than its slot', () => {
  test('is not broken off; what falls due meanwhile waits, and the newest of it begins late', async () => {
    const hall = new TownHall(HOURLY, '2026-11-20T00:30Z');
    hall.takes = run => (run.endsWith('T010000Z') ? 140 * MINUTE_MS : 10 * MINUTE_MS);
    const stop = hall.lead();
    await hall.until('2026-11-20T01:55Z');
    expect(hall.outcomes).toEqual(NONE);
    expect([hall.figures.get('running'), hall.figures.get('duration_seconds')]).toEqual([1, 55 * 60]);
    await hall.until('2026-11-20T02:10Z');
    expect(hall.outcomes).toEqual({ ...NONE, overlong: 1 });
    expect(hall.figures.get('duration_seconds')).toBeGreaterThan(hall.figures.get('duration_limit_seconds')!);
    // Passed already: what says that a night waits.
    expect(hall.figures.get('next_timestamp_seconds')).toBe(Date.parse('2026-11-20T02:00Z') / 1_000);
    await hall.until('2026-11-20T04:30Z');
    await stop();
    expect(times(hall)).toEqual(['2026-11-20T01:00', '2026-11-20T03:20', '2026-11-20T04:00']);
    expect(hall.slots).toEqual([
      '20261120T010000Z started done',
      '20261120T020000Z missed',
      '20261120T030000Z started done',
      '20261120T040000Z started done',
    ]);
    expect([hall.outcomes, hall.atWorkMost]).toEqual([
      { ...NONE, done: 3, late: 1, overlong: 1, missed: 1 },
      1,
    ]);
  });

  test('past the bound of the next one, that one is missed as well', async () => {
    const hall = new TownHall({ ...HOURLY, startWithin: '10m' }, '2026-11-20T00:30Z');
    hall.takes = run => (run.endsWith('T010000Z') ? 140 * MINUTE_MS : 10 * MINUTE_MS);
    const stop = hall.lead();
    await hall.until('2026-11-20T04:30Z');
    await stop();
    expect(times(hall)).toEqual(['2026-11-20T01:00', '2026-11-20T04:00']);
    expect(hall.outcomes).toEqual({ ...NONE, done: 2, overlong: 1, missed: 2 });
  });
});

describe('a scheduler that is killed in the midst of a night', () => {
  test('is followed by one that goes on with the same run, also past the bound for a start', async () => {
    const hall = new TownHall(NIGHTLY, '2026-11-19T12:00Z');
    const stop = hall.lead();
    await hall.until('2026-11-20T01:35Z');
    await stop();
    await hall.until('2026-11-20T06:00Z');
    const again = hall.lead();
    await hall.until('2026-11-21T00:00Z');
    await again();
    const run = 'fraud-at-20261120T013000Z';
    expect(hall.begun).toEqual([
      { run, at: '2026-11-20T01:30' },
      { run, at: '2026-11-20T06:00' },
    ]);
    expect(hall.slots).toEqual(['20261120T013000Z started started done']);
    expect(hall.outcomes).toEqual({ ...NONE, done: 1, overlong: 1 });
  });

  test('does not go on so for ever: a night that takes its process with it each time is given up', async () => {
    const hall = new TownHall(NIGHTLY, '2026-11-20T01:00Z');
    for (let kills = 0; kills < 25; kills++) {
      const stop = hall.lead();
      await hall.clock.turn(31 * MINUTE_MS);
      hall.takes = () => 2 * HOUR_MS;
      await stop();
    }
    expect(hall.slots[0]).toBe(`20261120T013000Z started ${'started '.repeat(19)}given-up`);
    expect(hall.count('failed')).toBe(1);
  });
});

describe('a night that fails', () => {
  const failing = (times: number): TownHall => {
    const hall = new TownHall(NIGHTLY, '2026-11-20T01:00Z');
    hall.takes = (_, nth) => {
      if (nth < times) throw new Error('no model');
      return MINUTE_MS;
    };
    return hall;
  };

  test('is tried again, less and less often, and counts by what came of it', async () => {
    const hall = failing(2);
    const stop = hall.lead();
    await hall.until('2026-11-20T02:00Z');
    await stop();
    expect(times(hall)).toEqual(['2026-11-20T01:30', '2026-11-20T01:31', '2026-11-20T01:35']);
    expect(hall.slots).toEqual(['20261120T013000Z started broke-off started broke-off started done']);
    expect(hall.outcomes).toEqual({ ...NONE, done: 1 });
  });

  test('is given up after its attempts, however often the scheduler was started meanwhile', async () => {
    const hall = failing(9);
    for (const at of ['2026-11-20T01:30Z', '2026-11-20T01:32Z', '2026-11-20T03:00Z']) {
      const stop = hall.lead();
      await hall.until(at);
      await stop();
    }
    expect(hall.slots).toEqual([
      '20261120T013000Z started broke-off started broke-off started broke-off given-up',
    ]);
    expect(hall.outcomes).toEqual({ ...NONE, failed: 1 });
    expect(JSON.parse(hall.records.at(-2)!.report!)).toEqual({ why: 'no model' });
    expect([hall.figures.get('running'), hall.figures.get('last_success_timestamp_seconds')]).toEqual([0, 0]);
    hall.takes = () => MINUTE_MS;
    const stop = hall.lead();
    await hall.until('2026-11-21T03:00Z');
    await stop();
    expect(hall.outcomes).toEqual({ ...NONE, failed: 1, done: 1 });
  });

  test('gives way to the next one that is due', async () => {
    const hall = new TownHall({ ...HOURLY, cron: '*/2 * * * *' }, '2026-11-20T01:01Z');
    hall.takes = run => {
      if (run.endsWith('T010200Z')) throw new Error('no model');
      return MINUTE_MS / 2;
    };
    const stop = hall.lead();
    await hall.until('2026-11-20T01:07Z');
    await stop();
    expect(hall.slots).toEqual([
      '20261120T010200Z started broke-off started broke-off given-up',
      '20261120T010400Z started done',
      '20261120T010600Z started done',
    ]);
  });
});

describe('one run of a pipeline at a time', () => {
  test('a night waits while somebody works on another, and is missed where that lasts too long', async () => {
    const hall = new TownHall(NIGHTLY, '2026-11-19T12:00Z');
    const stop = hall.lead();
    hall.byHand = 'millrace.night.fraud.by-hand';
    await hall.until('2026-11-20T01:58Z');
    expect(hall.slots).toEqual([]);
    hall.byHand = undefined;
    await hall.until('2026-11-20T03:00Z');
    expect(times(hall)).toEqual(['2026-11-20T02:00']);
    hall.byHand = 'millrace.night.fraud.by-hand';
    await hall.until('2026-11-21T06:00Z');
    await stop();
    expect(hall.outcomes).toEqual({ ...NONE, done: 1, late: 1, missed: 1 });
  });

  test('whoever does not lead any more, as Kafka has it, begins nothing', async () => {
    const hall = new TownHall(NIGHTLY, '2026-11-19T12:00Z');
    const stop = hall.lead({ leads: async () => false });
    await hall.until('2026-11-21T12:00Z');
    await stop();
    expect([hall.records, hall.begun]).toEqual([[], []]);
  });
});
