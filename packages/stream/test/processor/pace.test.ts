import { beforeEach, describe, expect, test } from '@jest/globals';
import { type TurnedClock, turnedClock } from '@millrace/telemetry';
import { CommitSize } from '../../src/processor/commitSize.ts';
import { COMMIT_DEFAULT } from '../../src/processor/options.ts';
import { Pace } from '../../src/processor/pace.ts';

const INTERVAL_MS = 100;
let clock: TurnedClock;
let done: string[];
let idle: boolean;

const paceOf = (sendsAhead: boolean, intervalMs = INTERVAL_MS): Pace => {
  const say = (what: string) => async (): Promise<boolean> => {
    done.push(`${what} at ${clock.now()}`);
    return false;
  };
  const size = new CommitSize(COMMIT_DEFAULT);
  const shipping = { size, sendsAhead, send: say('send'), commit: say('commit') };
  return new Pace({
    clock,
    intervalMs,
    shipping,
    isIdle: () => idle,
    failed: error => done.push(String(error)),
  });
};

/** A flush waits for the event loop's next turn. */
const turned = async (ms: number): Promise<void> => {
  await clock.turn(ms);
  await clock.turn(0);
};

beforeEach(() => {
  clock = turnedClock();
  done = [];
  idle = false;
});

describe('where outputs count once they are acknowledged', () => {
  test('they are sent at once when nothing else is at hand, and offsets wait for the interval', async () => {
    const pace = paceOf(true);
    pace.touch(1, 10);
    await turned(0);
    expect(done).toEqual([]);
    idle = true;
    pace.touch(1, 0);
    await turned(0);
    expect(done).toEqual(['send at 0']);
    await turned(INTERVAL_MS);
    expect(done).toEqual(['send at 0', 'commit at 100']);
  });

  test('they wait a little for others while there is more at hand', async () => {
    const pace = paceOf(true);
    pace.touch(1, 10);
    await turned(19);
    expect(done).toEqual([]);
    await turned(1);
    expect(done).toEqual(['send at 20']);
  });

  test('they never wait longer than a commit would', async () => {
    const pace = paceOf(true, 5);
    pace.touch(1, 10);
    await turned(5);
    expect(done.toSorted()).toEqual(['commit at 5', 'send at 5']);
  });

  test('they do not wait when the mark is reached', async () => {
    const pace = paceOf(true);
    pace.touch(COMMIT_DEFAULT.recordsMax, 10);
    await turned(0);
    expect(done.toSorted()).toEqual(['commit at 0', 'send at 0']);
  });
});

test('where they count with their commit, they wait for it', async () => {
  const pace = paceOf(false);
  idle = true;
  pace.touch(1, 10);
  await turned(INTERVAL_MS - 1);
  expect(done).toEqual([]);
  await turned(1);
  expect(done).toEqual(['commit at 100']);
});

test('nothing comes after a stop', async () => {
  const pace = paceOf(true);
  pace.touch(1, 10);
  await pace.stop();
  await turned(1_000);
  expect(done).toEqual([]);
});
