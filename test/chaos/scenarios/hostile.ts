/** Records and batches that somebody sends who is careless, or means harm. */
import { LETTERS } from '../rig/follower.ts';
import { withAdmin } from '../rig/admin.ts';
import { figuresOf } from '../rig/figures.ts';
import {
  type HostileBatch, outgrowing, payments, poison, sendHeaders, sendHostile, tombstones, unasked,
} from '../rig/hostile.ts'; // prettier-ignore
import type { Scene } from '../scene.ts';
import { topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { ONE, type Scenario } from './scenario.ts';

const MIB = 1 << 20;
const HEADERS = 8_000;
const BOMBS = 40;
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
/** With its key, its lengths and the head of its batch just below the 1,048,588 bytes that a broker takes. */
const LARGEST_BYTES = 1_048_440;
const RECORD_BYTES = 10_000_000;
const BOMB_BYTES = 24 * MIB;
const TOMBSTONES = 200_000;
/** Below what a field may have; four of them, as the record has, are just below what a broker takes. */
const ID_BYTES = 262_100;
const RAISED_BYTES = 32 * MIB;

const totalOf = (figures: ReadonlyMap<string, number>): number =>
  [...figures.values()].reduce((sum, figure) => sum + figure, 0);

const headerBombs = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  const before = await figuresOf(rig.fleet, 'millrace_rebalances_total');
  const what = `${2 * BOMBS} records with ${HEADERS} headers each`;
  await scene.fault(what, () => sendHeaders(rig, BOMBS, HEADERS));
  await scene.wait(20);
  const count = totalOf(await figuresOf(rig.fleet, 'millrace_rebalances_total')) - totalOf(before);
  if (count !== 0) scene.complaints.push(`members have lost their places: ${count} assignments`);
};

/** Sends each, and complains where the broker does not do with all of its records what is expected. */
const expectOf = async (
  scene: Scene,
  expected: 'taken' | 'refused',
  batches: readonly (HostileBatch & { readonly what: string })[],
): Promise<void> => {
  const answers = await sendHostile(scene.rig, batches);
  for (const [i, { what }] of batches.entries()) {
    const { taken, refused } = answers[i]!;
    const told = `${what}: ${taken} taken, refused: ${JSON.stringify(refused)}`;
    scene.say(`    ${told}`);
    const count = Object.values(refused).reduce((sum, of) => sum + of, 0);
    if ((expected === 'taken' ? count : taken) > 0) scene.complaints.push(told);
  }
};

const hostileBatches = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  await scene.fault('batches of every codec, the largest record, ids that outgrow a record', () =>
    expectOf(scene, 'taken', [
      ...CODECS.map(codec => ({ what: `payments in ${codec}`, codec, records: payments(rig, 200) })),
      { what: 'the largest record', codec: 'none', records: [poison(rig, 'largest', LARGEST_BYTES)] },
      { what: 'ids that outgrow a record', codec: 'none', records: [outgrowing(rig, ID_BYTES)] },
    ]),
  );
  await scene.wait(8);
  await scene.fault('what a broker refuses', () =>
    expectOf(scene, 'refused', [
      { what: 'a record of 10 MB', codec: 'none', records: [unasked('10-mb', RECORD_BYTES)] },
      { what: 'a bomb in gzip', codec: 'gzip', records: [unasked('a-bomb', BOMB_BYTES)] },
      { what: '200,000 records in a batch', codec: 'lz4', records: [tombstones(TOMBSTONES)] },
    ]),
  );
  await withAdmin(rig, async admin => {
    for (const topic of [topicsOf(fraud).scored, ...LETTERS])
      await admin.alterTopic(topic, { 'max.message.bytes': String(RAISED_BYTES) });
  });
  await scene.fault('the same, where somebody has raised the limits of the topics', () =>
    expectOf(scene, 'taken', [
      { what: 'a record of 10 MB', codec: 'none', records: [poison(rig, '10-mb', RECORD_BYTES)] },
      { what: 'a bomb in gzip', codec: 'gzip', records: [poison(rig, 'a-bomb', BOMB_BYTES)] },
      { what: '200,000 records in a batch', codec: 'lz4', records: [tombstones(TOMBSTONES)] },
    ]),
  );
  await scene.wait(12);
};

export const HOSTILE_SCENARIOS: readonly Scenario[] = [
  {
    number: 32,
    name: 'header-bomb',
    injects: `records with ${HEADERS} headers each, __proto__ and constructor among them`,
    brokers: ONE,
    run: headerBombs,
  },
  {
    number: 33,
    name: 'hostile-batches',
    injects:
      'a record of 10 MB, a bomb in gzip, 200,000 records in a batch, every codec, the largest record, ids that outgrow one',
    brokers: ONE,
    run: hostileBatches,
  },
];
