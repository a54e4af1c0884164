import { afterEach, describe, expect, test } from '@jest/globals';
import { perRecord } from '../../src/processor/perRecord.ts';
import type { InboundBatch, Outcomes, TaskContext } from '../../src/task.ts';
import { bytes, eventually, makeRig, type Outputs, readAll, type Rig, textCodec } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

interface Held {
  readonly batch: InboundBatch<string>;
  readonly out: Outcomes<Outputs>;
  readonly settle: () => void;
}

/** A task whose handlers wait for the test to answer. */
function waiting(): {
  held: Held[];
  createTask: (context: TaskContext<Outputs>) => object & { handle: never };
  context: () => TaskContext<Outputs>;
} {
  const held: Held[] = [];
  let latest: TaskContext<Outputs> | undefined;
  return {
    held,
    context: () => latest!,
    createTask: context => {
      latest = context;
      const handle = (batch: InboundBatch<string>, out: Outcomes<Outputs>): Promise<void> =>
        new Promise(settle => held.push({ batch, out, settle }));
      return { handle: handle as never };
    },
  };
}

const lettersIn = async (topic: string): Promise<string[]> =>
  (await readAll(rig.broker, topic)).map(({ value }) => value);

describe('what is committed', () => {
  test('output of a record waits for the records before it; plain output does not', async () => {
    rig = await makeRig();
    const task = waiting();
    await rig.run<string>({ createTask: task.createTask });
    await rig.send('in', 0, ['a', 'b', 'c', '!d']);
    await eventually('handed over', () => task.held.length === 1);
    const { out, settle } = task.held[0]!;
    out.emit('out', bytes('k'), 'plain');
    for (const i of [1, 2]) {
      out.emitFor(i, 'out', bytes('k'), `for ${i}`);
      out.done(i);
    }
    out.reject(3, 'bad-value');
    await eventually('plain output is there', async () => (await lettersIn('out')).length === 1);
    // What plain output is committed with says that nothing was read: it proves the owner.
    expect([await rig.committed(0), await lettersIn('in.dlq')]).toEqual([0, []]);
    out.skip(0, 'duplicate');
    settle();
    await eventually('all is committed', async () => (await rig.committed(0)) === 4);
    expect([await lettersIn('out'), await lettersIn('in.dlq')]).toEqual([
      ['plain', 'for 1', 'for 2'],
      ['!d'],
    ]);
  });

  test('what one stretch of code did is in one transaction', async () => {
    rig = await makeRig();
    const task = waiting();
    await rig.run<string>({
      createTask: task.createTask,
      changelog: 'state',
      commit: { intervalMs: 0, recordsMax: 1 },
    });
    await rig.send('in', 0, ['a', 'b', 'c']);
    await eventually('handed over', () => task.held.length === 1);
    const { out, settle } = task.held[0]!;
    for (let i = 0; i < 3; i++) {
      out.emit('out', bytes('k'), String(i));
      task.context().state.put('n', bytes(String(i)));
      out.done(i);
    }
    settle();
    await eventually('committed', async () => (await rig.committed(0)) === 3);
    // One commit: one version of the state, one mark of what was applied.
    expect((await readAll(rig.broker, 'state')).map(({ key, value }) => [key, value])).toEqual([
      ['n', '2'],
      ['__applied/in', '3'],
    ]);
  });

  test('a quiet processor writes nothing', async () => {
    rig = await makeRig();
    await rig.run<string>({
      changelog: 'state',
      createTask: () => ({ handle: perRecord<string, Outputs>(() => undefined) }),
    });
    await rig.send('in', 0, ['a']);
    await eventually('committed', async () => (await rig.committed(0)) === 1);
    const ends = await rig.broker.admin.endOffsets('state');
    await new Promise(resolve => setTimeout(resolve, 60));
    expect(await rig.broker.admin.endOffsets('state')).toEqual(ends);
  });

  test('output of timers needs no input', async () => {
    rig = await makeRig();
    let ticks = 0;
    await rig.run<string>({
      createTask: ({ out }) => ({
        handle: perRecord<string, Outputs>(() => undefined),
        onTime: () => {
          if (++ticks === 3) out.emit('out', bytes('k'), 'on time');
        },
      }),
    });
    await eventually('it is there', async () => (await lettersIn('out')).length === 1);
    expect(await rig.committed(0)).toBe(0);
  });
});

describe('back-pressure', () => {
  test('a full lane stops reading at the high mark and goes on at the low, and nothing is lost', async () => {
    rig = await makeRig();
    const lane = { rowsHigh: 600, rowsLow: 100, bytesHigh: 1e9, bytesLow: 1e9 };
    const task = waiting();
    await rig.run<string>({ createTask: task.createTask, inputs: [{ topic: 'in', codec: textCodec, lane }] });
    await rig.send(
      'in',
      0,
      Array.from({ length: 3_000 }, (_, i) => String(i)),
    );
    const rows = () => task.held.reduce((sum, { batch }) => sum + batch.length, 0);
    await eventually('the lane is full', () => rows() >= 600);
    await new Promise(resolve => setTimeout(resolve, 30));
    // The memory broker hands over runs of 500, and one may arrive after the pause.
    expect(rows()).toBeLessThanOrEqual(1_500);
    const seen: string[] = [];
    const answer = ({ batch, out, settle }: Held): void => {
      for (let i = 0; i < batch.length; i++) {
        seen.push(batch.value(i) as string);
        out.done(i);
      }
      settle();
    };
    await eventually('all is committed', async () => {
      for (const held of task.held.splice(0)) answer(held);
      return (await rig.committed(0)) === 3_000;
    });
    expect(seen).toEqual(Array.from({ length: 3_000 }, (_, i) => String(i)));
  });

  test('a task may hold back one of its inputs', async () => {
    rig = await makeRig();
    await rig.broker.admin.createTopics(['other', 'other.dlq'].map(name => ({ name, partitions: 1 })));
    const seen: string[] = [];
    let context: TaskContext<Outputs> | undefined;
    await rig.run<string>({
      inputs: ['in', 'other'].map(topic => ({ topic, codec: textCodec })),
      createTask: given => {
        context = given;
        given.pause({ topic: 'other', partition: 0 });
        return { handle: perRecord<string, Outputs>(record => void seen.push(record.value)) };
      },
    });
    await rig.send('other', 0, ['held back']);
    await rig.send('in', 0, ['a', 'b']);
    await eventually('the other input is read', () => seen.length === 2);
    expect(seen).toEqual(['a', 'b']);
    context!.resume({ topic: 'other', partition: 0 });
    await eventually('it is read at last', () => seen.length === 3);
  });
});

describe('stopping', () => {
  test('waits for open handlers, commits what they closed, and leaves the group', async () => {
    rig = await makeRig();
    const task = waiting();
    const started = await rig.run<string>({ createTask: task.createTask, commit: { intervalMs: 60_000 } });
    await rig.send('in', 0, ['a', 'b']);
    await eventually('handed over', () => task.held.length === 1);
    const stopped = started.stop(5_000);
    await new Promise(resolve => setTimeout(resolve, 10));
    const { out, settle } = task.held[0]!;
    out.emitFor(0, 'out', bytes('k'), 'a');
    out.done(0);
    out.done(1);
    settle();
    await stopped;
    expect([await rig.committed(0), await lettersIn('out')]).toEqual([2, ['a']]);
    expect(await rig.broker.admin.groupMembers('g')).toBe(0);
  });

  test('gives up what is not done in time, and is safe twice', async () => {
    rig = await makeRig();
    const task = waiting();
    const started = await rig.run<string>({ createTask: task.createTask });
    await rig.send('in', 0, ['a', 'b']);
    await eventually('handed over', () => task.held.length === 1);
    task.held[0]!.out.done(0);
    await Promise.all([started.stop(30), started.stop(30)]);
    expect(task.context().signal.aborted).toBe(true);
    task.held[0]!.out.done(1);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(await rig.committed(0)).toBe(1);
    expect(await rig.broker.admin.groupMembers('g')).toBe(0);
  });
});

test('a task with offsets of its own starts where it says, and Kafka shows where it is', async () => {
  rig = await makeRig();
  await rig.send('in', 0, ['a', 'b', 'c', 'd']);
  const seen: string[] = [];
  await rig.run<string>({
    delivery: 'external',
    createTask: context => {
      context.seek({ topic: 'in', partition: 0, offset: 2 });
      return { handle: perRecord<string, Outputs>(record => void seen.push(record.value)) };
    },
  });
  await eventually('mirrored', async () => (await rig.committed(0)) === 4);
  expect(seen).toEqual(['c', 'd']);
});
