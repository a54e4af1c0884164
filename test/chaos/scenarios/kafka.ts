/** What happens to the brokers and on the way to them, and to the registry. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as faults from '../faults.ts';
import { notSmall } from '../rig/disk.ts';
import { postDuring } from '../rig/posts.ts';
import { interleavedTransactions } from '../rig/writers.ts';
import { BOTH, ONE, repeat, type Scenario, THREE } from './scenario.ts';

const POSTING_CLIENTS = 8;
/** What waits for a broker has a limit of its own; a process without anything to do has about half of this. */
const INGEST_MIB_MAX = 300;

const outage = (name: string, seconds: number): Scenario => ({
  number: 15,
  name,
  injects: `every broker is killed and stays away for ${seconds} s, while payments are posted over HTTP`,
  // Afterwards partitions are sent one after the other. So many customers that this is days of event time, and not more than
  // the state goes back: what is older than that is answered, and leaves nothing.
  rig: { records: seconds * 200, services: { ingest: 1, feature: 2, inference: 2, sink: 1 } },
  memoryMiBMax: { ingest: INGEST_MIB_MAX },
  brokers: BOTH,
  tailSeconds: 20,
  run: async scene => {
    const { statuses, untold } = await postDuring(scene.rig, POSTING_CLIENTS, () =>
      faults.allBrokersAway(scene, seconds),
    );
    if (!statuses.has(503)) scene.complaints.push('ingest has refused nothing');
    if (untold > 0) scene.complaints.push(`${untold} refusals do not say when to come again`);
  },
});

const smallDisk = (): string | undefined => process.env['MILLRACE_SMALL_DISK'];

export const KAFKA_SCENARIOS: readonly Scenario[] = [
  {
    number: 3,
    name: 'lost-commit-answer',
    injects: 'the answers to 12 EndTxn requests are lost',
    brokers: BOTH,
    run: scene =>
      repeat(4, async () => {
        await faults.onFrames(scene, 'lose', 3, 'endTxn');
        await scene.wait(8);
      }),
  },
  {
    number: 6,
    name: 'late-requests',
    injects: 'EndTxn and Produce requests arrive 7 s late, when their producer has given up',
    brokers: BOTH,
    run: scene =>
      repeat(6, async i => {
        await faults.onFrames(scene, 'late', 3, i % 2 === 0 ? 'endTxn' : 'produce', 7_000);
        await scene.wait(9);
      }),
  },
  {
    number: 7,
    name: 'interleaved-aborts',
    injects:
      'two transactional producers of librdkafka on the same partitions, four of ten transactions aborted',
    brokers: BOTH,
    run: async scene => {
      const { rig } = scene;
      const at = { bootstrap: rig.stack.kafka, registry: rig.stack.registry };
      await scene.fault('1,200 records in overlapping transactions', () =>
        interleavedTransactions(rig.feed, at, 1_200, scene.random),
      );
    },
  },
  {
    number: 8,
    name: 'broker-kill',
    injects: 'kill -9 of a broker, back after 5 s, three times',
    brokers: BOTH,
    tailSeconds: 15,
    run: scene =>
      repeat(3, async () => {
        await faults.killBroker(scene, 5);
        await scene.wait(20);
      }),
  },
  {
    number: 9,
    name: 'rolling-restart',
    injects: 'each broker is ended in good order and started again, twice around',
    brokers: BOTH,
    tailSeconds: 12,
    run: scene =>
      repeat(2 * scene.rig.brokers.length, async i => {
        await faults.rollBroker(scene, i % scene.rig.brokers.length);
        await scene.wait(12);
      }),
  },
  {
    number: 10,
    name: 'broker-stop',
    injects: 'SIGSTOP of a broker for 60 s',
    brokers: BOTH,
    tailSeconds: 20,
    run: scene => faults.stopBroker(scene, 60),
  },
  {
    number: 11,
    name: 'coordinator-moves',
    injects: 'the coordinators of groups and transactions get new leaders, five times',
    brokers: THREE,
    run: scene =>
      repeat(5, async i => {
        await faults.newLeaders(scene, 'coordinators', i + 1);
        await scene.wait(5);
      }),
  },
  {
    number: 12,
    name: 'leader-moves',
    injects: 'every partition of the data gets a new leader, five times',
    brokers: THREE,
    run: scene =>
      repeat(5, async i => {
        await faults.newLeaders(scene, 'data', i + 1);
        await scene.wait(5);
      }),
  },
  outage('outage', 60),
  outage('long-outage', 300),
  {
    number: 16,
    name: 'registry-away',
    injects: 'the registry is unreachable for 20 s, and a service is killed meanwhile',
    brokers: BOTH,
    run: async scene => {
      await Promise.all([
        faults.registryAway(scene, 20),
        scene.wait(3).then(() => faults.killService(scene, 'inference')),
      ]);
      await scene.wait(10);
    },
  },
  {
    number: 27,
    name: 'disk-full',
    injects: 'the disk under broker, database and state is full for 15 s, twice',
    brokers: ONE,
    tailSeconds: 15,
    mayEnd: true,
    missing: () => notSmall(tmpdir()),
    run: scene =>
      repeat(2, async () => {
        await faults.diskFull(scene, 15);
        await scene.wait(20);
      }),
  },
  {
    number: 27,
    name: 'broker-disk-full',
    injects:
      'the disk under one broker of three is full for 15 s, twice; MILLRACE_SMALL_DISK names its folder',
    brokers: THREE,
    tailSeconds: 20,
    missing: () =>
      smallDisk() === undefined ? 'MILLRACE_SMALL_DISK names no folder' : notSmall(smallDisk()!),
    run: async scene => {
      const small = smallDisk()!;
      await faults.moveData(scene, 0, join(small, 'broker'));
      await scene.wait(15);
      await repeat(2, async () => {
        await faults.brokerDiskFull(scene, 0, small, 15);
        await scene.wait(20);
      });
    },
  },
  {
    number: 35,
    name: 'bad-network',
    injects: '500 ms more for each round, connections reset, half-open, responses cut in the midst',
    brokers: BOTH,
    tailSeconds: 15,
    run: async scene => {
      await faults.slowNetwork(scene, 250, 15);
      await scene.wait(5);
      await faults.resets(scene, 0.05, 15);
      await scene.wait(5);
      await faults.hold(scene, 12);
      await scene.wait(12);
      await faults.onFrames(scene, 'cut', 12);
      await scene.wait(8);
    },
  },
  {
    number: 35,
    name: 'cut-responses',
    injects: 'responses of the brokers are cut in the midst, sixty of them',
    brokers: BOTH,
    run: scene =>
      repeat(6, async () => {
        await faults.onFrames(scene, 'cut', 10);
        await scene.wait(6);
      }),
  },
  {
    number: 40,
    name: 'expired-ids',
    injects: 'nothing is sent for 40 s, while transactional ids expire after 10 s',
    brokers: BOTH,
    rig: {
      brokerSettings: {
        'transactional.id.expiration.ms': 10_000,
        'transaction.remove.expired.transaction.cleanup.interval.ms': 2_000,
        'producer.id.expiration.ms': 10_000,
        'producer.id.expiration.check.interval.ms': 2_000,
      },
    },
    run: async scene => {
      await scene.fault('no load for 40 s', async () => {
        scene.rig.feed.resting = true;
        await scene.wait(40);
        scene.rig.feed.resting = false;
      });
      await scene.wait(15);
    },
  },
];
