import { afterEach, describe, expect, test } from '@jest/globals';
import { type Broker, BrokerError, type GroupListener } from '../../src/broker/port.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import type { ProcessorOptions } from '../../src/processor/options.ts';
import { turnedClock } from '@millrace/telemetry';
import { type Wait, type Watched, Watchdog, type WatchdogOf } from '../../src/processor/watchdog.ts';
import { eventually, makeRig, type Outputs, type Rig, textCodec } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

const STALL_MS = 150;
/** Six a stall time: as many as several stall times have. */
const CHECKS_MANY = 30;
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

type Options = Partial<ProcessorOptions<string, Outputs>>;
const copying: Pick<ProcessorOptions<string, Outputs>, 'createTask'> = {
  createTask: () => ({
    handle: perRecord<string, Outputs>((record, out) => out.emit('out', record.key!, record.value)),
  }),
};
const ended = async (options: Options, wrap?: (broker: Broker) => Broker): Promise<string> => {
  rig = await makeRig(1, wrap);
  await rig.send('in', 0, ['a', 'b']);
  const started = await rig.run<string>({ ...copying, stallMsMax: STALL_MS, ...options });
  const message = await started.failed.catch((error: unknown) => (error as Error).message);
  await started.stop(20); // What hangs is not waited for.
  return message;
};

describe('a task that has records and commits nothing ends the process, which says what it waited for', () => {
  const ofProducer =
    (hangs: 'fence' | 'commit') =>
    (broker: Broker): Broker => ({
      ...broker,
      transactionalProducer: async id => {
        if (hangs === 'fence') return never();
        const producer = await broker.transactionalProducer(id);
        return {
          send: records => producer.send(records),
          sendOffsets: (group, offsets) => producer.sendOffsets(group, offsets),
          commit: never,
          abort: () => producer.abort(),
          close: () => producer.close(),
        };
      },
    });
  const cases: readonly [string, Options, ((broker: Broker) => Broker) | undefined][] = [
    ['1 handlers to end', { createTask: () => ({ handle: never }) }, undefined],
    ['createTask', { createTask: never }, undefined],
    ['its transactional id (the fence)', {}, ofProducer('fence')],
    ['a commit that is under way', {}, ofProducer('commit')],
    [
      'its state to be restored',
      { changelog: 'state' },
      broker => ({ ...broker, read: () => readNothing() }),
    ],
    [
      'its task, which has paused in-0',
      {
        createTask: context => {
          context.pause({ topic: 'in', partition: 0 });
          return { handle: perRecord<string, Outputs>(() => undefined) };
        },
      },
      undefined,
    ],
    ['records', {}, broker => deaf(broker)],
  ];
  test.each(cases)('%s', async (what, options, wrap) => {
    const message = await ended(options, wrap);
    expect(message).toMatch(
      /^g: task 0 has 2 records to work on and has committed nothing for \d+ s: it waits for /,
    );
    expect(message).toContain(`waits for ${what}`);
  });

  test('also where it says that it waits for others, but is not handed what it may read', async () => {
    const message = await ended({ waitsFor: () => 'somebody else' }, broker => deaf(broker));
    expect(message).toContain('waits for records of in-0 to be fetched');
  });
});

async function* readNothing(): AsyncGenerator<never> {
  yield await never();
}

/** The group is joined, and nothing arrives. */
const deaf = (broker: Broker): Broker => ({
  ...broker,
  join: (options, listener) => {
    const hears: GroupListener = {
      assigned: given => listener.assigned(given),
      run: () => undefined,
      failed: error => listener.failed(error),
    };
    return broker.join(options, hears);
  },
});

describe('a process goes on', () => {
  const goesOn = async (
    options: Options,
    more: { wrap?: (broker: Broker) => Broker; values?: readonly string[] } = {},
  ): Promise<void> => {
    let checks = 0;
    rig = await makeRig(1, broker => ({
      ...(more.wrap?.(broker) ?? broker),
      admin: {
        ...broker.admin,
        describeTopics: names => {
          checks++;
          return (more.wrap?.(broker) ?? broker).admin.describeTopics(names);
        },
      },
    }));
    await rig.send('in', 0, more.values ?? ['a', 'b']);
    const started = await rig.run<string>({ ...copying, stallMsMax: STALL_MS, ...options });
    let failure: unknown;
    started.failed.catch((error: unknown) => (failure = error));
    await eventually('it was looked at often', () => checks > CHECKS_MANY || failure !== undefined);
    expect(failure).toBeUndefined();
    await started.stop(20);
  };

  test('that has nothing to do', () => goesOn({}, { values: [] }));

  test('while the registry is silent', () =>
    goesOn({
      inputs: [
        { topic: 'in', codec: { ...textCodec, prepare: () => Promise.reject(new Error('no answer')) } },
      ],
    }));

  test('while it says that it waits for something that has a behaviour of its own', () =>
    goesOn({ waitsFor: task => `the database of task ${task}`, createTask: () => ({ handle: never }) }));

  test('while what fails is tried again within its budget', () =>
    goesOn({
      retry: { delayMsFirst: 2, delayMsMax: 2, attemptsMax: 1_000_000 },
      createTask: () => Promise.reject(new Error('not now')),
    }));

  test('while Kafka does not answer', () => {
    let calls = 0;
    const away = new BrokerError('away', { retriable: true });
    return goesOn(
      { createTask: () => ({ handle: never }) },
      {
        wrap: broker => ({
          ...broker,
          // The survey at the start is answered.
          admin: {
            ...broker.admin,
            describeTopics: names =>
              calls++ === 0 ? broker.admin.describeTopics(names) : Promise.reject(away),
          },
        }),
      },
    );
  });

  test('while a long restore moves on', async () => {
    let runs = 0;
    await goesOn(
      { changelog: 'state' },
      {
        wrap: broker => ({
          ...broker,
          read: async function* (options) {
            for await (const run of broker.read({ ...options, until: [] })) yield run;
            while (options.signal?.aborted !== true) {
              await new Promise(resolve => setTimeout(resolve, STALL_MS / 10));
              runs++;
              yield {
                topic: 'state',
                partition: 0,
                length: 0,
                bytes: 0,
                nextOffset: 0,
                highWatermark: 1,
                offset: () => 0,
                appendTimeMs: () => 0,
                key: () => null,
                value: () => null,
                header: () => undefined,
                headers: () => [],
              };
            }
          },
        }),
      },
    );
    expect(runs).toBeGreaterThan(10);
  });
});

test('how long nothing came does not count: time begins with what there is to work on', async () => {
  const clock = turnedClock();
  let end = 0;
  let failure: Error | undefined;
  const at = { topic: 'in', partition: 0 };
  const topic = { name: 'in', id: 'id', partitions: 1 };
  const admin = { describeTopics: async () => [topic], endOffsets: async () => [{ ...at, offset: end }] };
  const setting = { name: 'g', topics: ['in'], broker: { admin }, clock, stallMsMax: 60_000, waitsFor: () => undefined }; // prettier-ignore
  const lane = { at, tracker: { position: 1, watermark: 0 }, queue: [], gate: { isClosed: false }, rows: 0 };
  const waitsFor = (): Wait => ({ what: '1 handlers to end', on: 'ours' });
  const watched = { progress: { atMs: 0 }, lanes: [lane], waitsFor } as unknown as Watched;
  const over = new AbortController();
  const watching = new Watchdog({
    setting: setting as unknown as WatchdogOf['setting'],
    topicIds: new Map([['in', 'id']]),
    partitions: new Map([['in', 1]]),
    tasks: () => [[0, watched]],
    fatal: error => (failure = error),
  }).run(over.signal);
  await clock.turn(59_999);
  end = 1;
  await clock.turn(60_000);
  expect(failure).toBeUndefined();
  await clock.turn(1);
  expect(failure?.message).toMatch(/^g: task 0 has 1 records to work on and has committed nothing for 60 s/u);
  over.abort();
  await watching;
});

describe('a topic', () => {
  test('that has other partitions than its state is for is refused at the start', async () => {
    rig = await makeRig();
    await expect(rig.run<string>({ ...copying, changelog: 'state', partitions: 3 })).rejects.toThrow(
      /these need 3 partitions: in \(1\).*Partitions cannot be added to a topic with state/u,
    );
  });

  test('that is given more partitions under a running group ends the process with the remedy', async () => {
    let more = 0;
    rig = await makeRig(1, broker => ({
      ...broker,
      admin: {
        ...broker.admin,
        describeTopics: async names =>
          (await broker.admin.describeTopics(names)).map(topic => ({
            ...topic,
            partitions: topic.partitions + more,
          })),
      },
    }));
    const started = await rig.run<string>({ ...copying, stallMsMax: STALL_MS });
    more = 2;
    await expect(started.failed).rejects.toThrow(/topic in has 3 partitions, and had 1.*docs\/OPERATING.md/u);
  });

  test('that is deleted under a running group ends the process with its name', async () => {
    rig = await makeRig();
    const started = await rig.run<string>({ ...copying, stallMsMax: STALL_MS });
    await rig.broker.admin.deleteTopics(['in']);
    await expect(started.failed).rejects.toThrow('topic in was deleted while it was in use');
  });

  test('that is written and is deleted does so too', async () => {
    rig = await makeRig();
    const started = await rig.run<string>({ ...copying, stallMsMax: STALL_MS });
    await rig.broker.admin.deleteTopics(['out']);
    await expect(started.failed).rejects.toThrow('topic out was deleted while it was in use');
  });

  test('that is made anew under its name is another one', async () => {
    rig = await makeRig();
    const started = await rig.run<string>({ ...copying, stallMsMax: STALL_MS });
    await rig.broker.admin.deleteTopics(['in']);
    await rig.broker.admin.createTopics([{ name: 'in', partitions: 1 }]);
    await expect(started.failed).rejects.toThrow('topic in was deleted and made anew while it was in use');
  });
});

test('a createTask of its own mistakes ends the process at once', async () => {
  rig = await makeRig();
  let created = 0;
  const started = await rig.run<string>({
    createTask: () => {
      created++;
      throw new TypeError('views is not iterable');
    },
  });
  await expect(started.failed).rejects.toThrow('createTask: views is not iterable');
  expect(created).toBe(1);
});
