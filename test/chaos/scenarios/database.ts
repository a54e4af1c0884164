/** What happens to the database. */
import * as faults from '../faults.ts';
import { BOTH, ONE, repeat, type Scenario } from './scenario.ts';

export const DATABASE_SCENARIOS: readonly Scenario[] = [
  {
    number: 0,
    name: 'database-away',
    injects: 'the database is killed, then half-open; the sink is killed between',
    brokers: BOTH,
    tailSeconds: 15,
    run: async scene => {
      await faults.databaseAway(scene, 10);
      await scene.wait(6);
      await faults.killService(scene, 'sink');
      await scene.wait(6);
      await faults.databaseHeld(scene, 12);
      await scene.wait(6);
      await repeat(4, async () => {
        await faults.killService(scene, 'sink');
        await scene.wait(5);
      });
    },
  },
  {
    number: 2,
    name: 'sink-failpoint',
    injects: 'the sink dies between moving its offset and storing its rows',
    brokers: BOTH,
    tailSeconds: 12,
    mayEnd: true,
    // Enough that a store which takes two of them, its offset apart, does not wait for others that do.
    rig: { mutants: ['dies-before-rows'], environment: { SINK_CONNECTIONS_MAX: '16' } },
    run: async scene => {
      const { ownEnds } = scene.rig.fleet;
      await scene.fault('a failpoint for 40 s', () => scene.wait(40), { counts: 'not' });
      scene.say(`  ${ownEnds.length} died`);
      if (ownEnds.length === 0) scene.complaints.push('no failpoint was reached');
      scene.counted(ownEnds);
    },
  },
  {
    number: 0,
    name: 'slow-database',
    injects:
      'the database is silent until 100,000 predictions wait for it; the sink may hold 1,000 of a partition',
    brokers: ONE,
    memoryMiBMax: { sink: 500 },
    rig: { records: 220_000, environment: { SINK_LANE_ROWS_MAX: '1000' } },
    run: async scene => {
      const { feed, follower } = scene.rig;
      await Promise.all([
        faults.databaseSilent(scene, () => follower.predictions > 100_000),
        feed.burst(200_000),
      ]);
      await scene.wait(10);
    },
  },
];
