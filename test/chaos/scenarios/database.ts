/** What happens to the database. */
import * as faults from '../faults.ts';
import { ONE, repeat, type Scenario } from './scenario.ts';

export const DATABASE_SCENARIOS: readonly Scenario[] = [
  {
    number: 0,
    name: 'database-away',
    injects: 'the database is killed, then half-open; the sink is killed between',
    brokers: ONE,
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
];
