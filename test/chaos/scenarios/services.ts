/** What happens to our own processes. */
import * as faults from '../faults.ts';
import { postDuring } from '../rig/posts.ts';
import type { Scene } from '../scene.ts';
import { endMember } from '../takeOver.ts';
import { BOTH, ONE, repeat, type Scenario } from './scenario.ts';

/** A service has ended well by then, or it was killed by whoever runs it. */
const END_S_MAX = 10;

const failpoints =
  (seconds: number) =>
  async (scene: Scene): Promise<void> => {
    const { ownEnds, awoken } = scene.rig.fleet;
    await scene.fault(`failpoints for ${seconds} s`, () => scene.wait(seconds), { counts: 'not' });
    const count = ownEnds.length + awoken.length;
    scene.say(`  ${ownEnds.length} died, ${awoken.length} stood still`);
    if (count === 0) scene.complaints.push('no failpoint was reached');
    scene.counted([...ownEnds, ...awoken]);
  };

const STORM_MINUTE = 10;

const storm = (name: string, minutes: number): Scenario => ({
  number: 13,
  name,
  injects: `a feature and an inference process join or leave every 3 s, for ${minutes} min`,
  brokers: BOTH,
  run: async scene => {
    const { fleet } = scene.rig;
    const extra = [await fleet.add('feature'), await fleet.add('inference')];
    await repeat(minutes * STORM_MINUTE, async i => {
      const member = extra[i % 2]!;
      await scene.fault(`${member.name}: leaves`, () => fleet.terminate(member, true));
      await scene.wait(3);
      await scene.fault(`${member.name}: joins`, () => fleet.wake(member));
      await scene.wait(3);
    });
  },
});

const burst = (name: string, records: number, memoryMiBMax?: Scenario['memoryMiBMax']): Scenario => ({
  number: 25,
  name,
  injects: `${records.toLocaleString('en')} records at once`,
  brokers: ONE,
  rig: { records: records + 10_000 },
  ...(memoryMiBMax && { memoryMiBMax }),
  run: async scene => {
    await scene.fault(`a burst of ${records} records`, () => scene.rig.feed.burst(records));
    await scene.wait(10);
  },
});

export const SERVICE_SCENARIOS: readonly Scenario[] = [
  {
    number: 1,
    name: 'kill-services',
    injects: 'kill -9 of a random service every 5 to 12 s, six times',
    brokers: BOTH,
    run: scene =>
      repeat(6, async () => {
        await faults.killService(scene);
        await scene.wait(scene.between(5, 12));
      }),
  },
  {
    number: 2,
    name: 'failpoints',
    injects:
      'processes die between produce and offsets, offsets and commit, commit and state; at least once, between acknowledgement and offsets',
    brokers: BOTH,
    tailSeconds: 12,
    mayEnd: true,
    repeats: true,
    // Each way of delivery passes its own of them; who sends in transactions acknowledges nothing ahead.
    rig: {
      mutants: [
        'dies-after-produce',
        'dies-before-commit',
        'dies-after-commit',
        'dies-after-acknowledgement',
      ],
    },
    run: failpoints(60),
  },
  {
    number: 4,
    name: 'zombies',
    injects: 'feature and inference are stopped beyond their sessions, in turn, and go on',
    brokers: BOTH,
    run: scene =>
      repeat(4, async i => {
        await faults.stopService(scene, 15, i % 2 === 0 ? 'feature' : 'inference');
        await scene.wait(6);
      }),
  },
  {
    number: 5,
    name: 'stopped-after-fencing',
    injects:
      'an owner stands still between fencing and reading offsets, a successor works, the owner goes on',
    brokers: BOTH,
    tailSeconds: 20,
    rig: { mutants: ['stands-still-after-fencing'] },
    run: async scene => {
      await repeat(4, async () => {
        await faults.killService(scene, scene.pick(['feature', 'inference']));
        await scene.wait(18);
      });
      if (scene.rig.fleet.awoken.length === 0) scene.complaints.push('no failpoint was reached');
    },
  },
  {
    number: 5,
    name: 'stopped-before-commit',
    injects:
      'an owner stands still between the proof of its membership and the commit, at least once between acknowledgement and offsets, and goes on',
    brokers: BOTH,
    tailSeconds: 20,
    repeats: true,
    rig: { mutants: ['stands-still-before-commit', 'stands-still-before-offsets'] },
    run: failpoints(75),
  },
  storm('rebalance-storm', 1),
  storm('long-storm', 5),
  {
    number: 19,
    name: 'defect',
    injects: "inference's code throws a TypeError on one event of four hundred",
    brokers: BOTH,
    rig: { mutants: ['fails-on-some'] },
    isRejected: ({ kind, id }) =>
      kind === 'poison' || (kind === 'event' && Number(id.slice(id.lastIndexOf('-') + 1)) % 400 === 399),
    run: scene => scene.fault('a defect for 40 s', () => scene.wait(40)),
  },
  {
    number: 0,
    name: 'standstill',
    injects: 'a call of the model never comes back, now and then; a standstill is borne for 10 s',
    brokers: ONE,
    tailSeconds: 25,
    mayEnd: true,
    rig: { mutants: ['never-answers'], environment: { MILLRACE_STALL_MS_MAX: '10000' } },
    run: failpoints(45),
  },
  {
    number: 24,
    name: 'slow-model',
    injects: 'each call of the model takes 300 ms longer',
    brokers: BOTH,
    rig: { mutants: ['answers-slowly'] },
    run: scene => scene.fault('a slow model for 40 s', () => scene.wait(40)),
  },
  burst('burst', 60_000),
  // The state of 7,500 customers, in memory or as pages of its file, is in what a feature process takes.
  burst('long-burst', 1_000_000, { feature: 1_000, inference: 400, sink: 500 }),
  {
    number: 26,
    name: 'too-long-batches',
    injects: 'handlers take longer than a rebalance may, while members join and leave',
    brokers: BOTH,
    tailSeconds: 20,
    rig: { mutants: ['handles-for-too-long'] },
    run: scene =>
      repeat(6, async () => {
        await faults.terminateService(scene, 'inference');
        await scene.wait(12);
      }),
  },
  {
    number: 31,
    name: 'retried-posts',
    injects: 'payments over HTTP while ingest is killed; the same ids are posted until they are accepted',
    brokers: BOTH,
    rig: { services: { ingest: 1, feature: 2, inference: 1, sink: 1 } },
    run: async scene => {
      await postDuring(scene.rig, 1, () =>
        repeat(5, async () => {
          await scene.wait(6);
          await faults.killService(scene, 'ingest');
        }),
      );
    },
  },
  {
    number: 37,
    name: 'terminate',
    injects: 'SIGTERM at work: each service in turn',
    brokers: BOTH,
    run: scene =>
      repeat(5, async i => {
        const service = (['feature', 'inference', 'sink', 'feature', 'inference'] as const)[i]!;
        await scene.until(() => scene.rig.fleet.awake(service).length > 0, 60);
        const member = scene.pick(scene.rig.fleet.awake(service));
        await endMember(scene, member, 'SIGTERM', async () => {
          const beganMs = performance.now();
          const { child } = member;
          await scene.rig.fleet.terminate(member);
          const seconds = (performance.now() - beganMs) / 1000;
          const code = await child.ended;
          scene.say(`  ${member.name} ended with ${code} after ${seconds.toFixed(1)} s`);
          if (code !== 0) scene.complaints.push(`${member.name} ended with ${code} after SIGTERM`);
          if (seconds > END_S_MAX)
            scene.complaints.push(`${member.name} took ${seconds.toFixed(1)} s to end`);
        });
        await scene.wait(8);
      }),
  },
];
