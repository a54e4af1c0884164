import { expect, test } from '@jest/globals';
import type { OutRecord, TransactionalProducer } from '../../src/broker/port.ts';
import type { Courier } from '../../src/processor/delivery.ts';
import type { Group } from '../../src/processor/setting.ts';
import { SharedTransactions } from '../../src/processor/together.ts';
import { bytes, producerAndGroup, text } from './rig.ts';

const GENERATION = 3;
const recordOf = (value: string): OutRecord => ({
  topic: 'out',
  partition: 0,
  key: null,
  value: bytes(value),
});
const offsetOf = (task: number) => ({ topic: 'in', partition: task, offset: 1 });
const { signal } = new AbortController();
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Tasks of one process; each notes what goes through its producer. */
const tasks = (faults: Partial<TransactionalProducer> & Partial<Group> = {}) => {
  const notes: string[] = [];
  const transactions = new SharedTransactions(producerAndGroup(faults).group);
  const couriers = [0, 1, 2].map(task => {
    const { producer } = producerAndGroup(faults);
    const noting: TransactionalProducer = {
      send: async records => {
        notes.push(`${task} sends ${records.map(({ value }) => text(value)).join(' ')}`);
        return producer.send(records);
      },
      sendOffsets: async (of, offsets) => {
        const member = typeof of === 'string' ? of : `${of.memberId} of ${of.generation}`;
        notes.push(`${task} offsets ${offsets.map(at => at.partition).join(' ')} by ${member}`);
        return producer.sendOffsets(of, offsets);
      },
      commit: async () => {
        notes.push(`${task} commits`);
        return producer.commit();
      },
      abort: () => producer.abort(),
      close: () => producer.close(),
    };
    return transactions.courier(noting, GENERATION);
  });
  return { notes, transactions, couriers };
};
const ship = (courier: Courier, task: number, value: string, its: AbortSignal = signal): Promise<void> =>
  courier.ship({ records: [recordOf(value)], offsets: [offsetOf(task)] }, its, () => undefined);
const statuses = async (shipped: readonly Promise<void>[]) =>
  (await Promise.allSettled(shipped)).map(({ status }) => status);

test('what tasks ship in one turn goes in one transaction, with the offsets of all of them', async () => {
  const { notes, couriers } = tasks();
  await Promise.all(couriers.map((courier, task) => ship(courier, task, `of-${task}`)));
  expect(notes).toEqual(['0 sends of-0 of-1 of-2', '0 offsets 0 1 2 by m of 3', '0 commits']);
});

test('what is shipped while a transaction is under way gathers for the next, which another task leads', async () => {
  const gate = Promise.withResolvers<void>();
  const { notes, couriers } = tasks({ commit: () => gate.promise });
  const first = ship(couriers[0]!, 0, 'a');
  await turn();
  const others = [ship(couriers[1]!, 1, 'b'), ship(couriers[2]!, 2, 'c')];
  await turn();
  expect(notes).toEqual(['0 sends a', '0 offsets 0 by m of 3', '0 commits']);
  gate.resolve();
  await Promise.all([first, ...others]);
  await ship(couriers[0]!, 0, 'd');
  expect(notes.filter(note => note.includes('sends'))).toEqual(['0 sends a', '1 sends b c', '0 sends d']);
});

test('a shipment begins once the transaction before has ended, so that its wait is not taken for its cost', async () => {
  const gate = Promise.withResolvers<void>();
  const { couriers } = tasks({ commit: () => gate.promise });
  const steps: string[] = [];
  const first = ship(couriers[0]!, 0, 'a');
  await turn();
  const second = couriers[1]!.ship({ records: [], offsets: [offsetOf(1)] }, signal, to => steps.push(to));
  await turn();
  expect(steps).toEqual([]);
  gate.resolve();
  await Promise.all([first, second]);
  expect(steps).toEqual(['begun', 'sent']);
});

test('no more than its limit goes together', async () => {
  const { notes, couriers } = tasks();
  const many = Array.from({ length: 15_000 }, () => recordOf('x'));
  const shipped = couriers.map((courier, task) =>
    courier.ship({ records: many, offsets: [offsetOf(task)] }, signal, () => undefined),
  );
  await Promise.all(shipped);
  expect(notes.filter(note => note.includes('commits'))).toEqual(['0 commits', '1 commits', '2 commits']);
});

test('a generation that is over commits nothing', async () => {
  const member = async () => ({ group: 'g', generation: GENERATION + 1, memberId: 'm' });
  const { notes, couriers } = tasks({ member });
  await expect(ship(couriers[0]!, 0, 'a')).rejects.toThrow('of generation 3, and the group is in 4');
  expect(notes).toEqual(['0 sends a']);
});

test('a task that has ended by the time is left behind, and the others go', async () => {
  const { notes, couriers } = tasks();
  const ended = new AbortController();
  const shipped = [ship(couriers[0]!, 0, 'a', ended.signal), ship(couriers[1]!, 1, 'b')];
  ended.abort(new Error('ended'));
  expect(await statuses(shipped)).toEqual(['rejected', 'fulfilled']);
  expect(notes).toEqual(['1 sends b', '1 offsets 1 by m of 3', '1 commits']);
});

test('generations do not mix: what the newer one ships goes by itself', async () => {
  const { notes, transactions, couriers } = tasks();
  const newer = transactions.courier(producerAndGroup().producer, GENERATION + 1);
  const shipped = [ship(couriers[0]!, 0, 'a'), ship(newer, 1, 'b')];
  expect(await statuses(shipped)).toEqual(['fulfilled', 'rejected']);
  expect(notes).toEqual(['0 sends a', '0 offsets 0 by m of 3', '0 commits']);
});

test('after a failure each goes alone, and only the one that is refused fails again', async () => {
  const send = (records: readonly OutRecord[]): Promise<void> =>
    records.some(({ value }) => text(value) === 'bad')
      ? Promise.reject(new Error('refused'))
      : Promise.resolve();
  const { notes, couriers } = tasks({ send });
  const all = (): Promise<void>[] =>
    ['a', 'bad', 'b'].map((value, task) => ship(couriers[task]!, task, value));
  expect(await statuses(all())).toEqual(['rejected', 'rejected', 'rejected']);
  expect(await statuses(all())).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(notes.filter(note => note.includes('commits'))).toEqual(['0 commits', '2 commits']);
});

test('a send that fails is told of when the offsets beside it are not under way any more', async () => {
  const offsetsSent = Promise.withResolvers<void>();
  let told = false;
  const { notes, couriers } = tasks({
    send: () => Promise.reject(new Error('refused')),
    sendOffsets: () => offsetsSent.promise,
  });
  const failed = ship(couriers[0]!, 0, 'a').catch((error: unknown) => {
    told = true;
    return (error as Error).message;
  });
  await turn();
  await turn();
  expect(told).toBe(false);
  offsetsSent.resolve();
  expect(await failed).toBe('refused');
  expect(notes).not.toContain('0 commits');
});
