/** Partitions are added to a topic with state behind it: the halt, and the documented way to more of them. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_MODEL_VERSION, openWorld, prepare } from '@millrace/cli';
import { catalogue, consumerGroup, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import postgres from 'postgres';
import { withAdmin } from '../rig/admin.ts';
import { placeName } from '../rig/ledger.ts';
import type { Rig } from '../rig/rig.ts';
import { linesOf } from '../rig/script.ts';
import { addPartitions, deleteGroup } from '../rig/topics.ts';
import type { Scene } from '../scene.ts';

/** As the mutant `eight-partitions` has it. */
const PARTITIONS = 8;
const TOPICS = topicsOf(fraud);
const HALT_S = 25;
const END_S_MAX = 60;

interface RawLine {
  readonly partition: number;
  readonly offset: number;
  readonly timeMs: number;
  readonly key: string;
  readonly value: string; // base64
}

/** Every event in the order in which it arrived, as it is. */
const eventsOf = async ({ python, stack }: Rig): Promise<readonly (RawLine & { readonly topic: string })[]> => {
  const read = Object.values(TOPICS.events).map(async topic => {
    const where = { bootstrap: stack.kafka, registry: stack.registry, topic, as: 'raw' };
    return (await linesOf<RawLine>(python, 'read.py', where)).map(line => ({ ...line, topic }));
  });
  return (await Promise.all(read)).flat().sort((a, b) => a.timeMs - b.timeMs || a.partition - b.partition || a.offset - b.offset);
}; // prettier-ignore

/** Topics and groups are made anew, with more partitions; where the sink stands is forgotten, its rows stay. */
const makeAnew = async (rig: Rig): Promise<void> => {
  const names = catalogue([fraud]).flatMap(({ name, pipeline }) => (pipeline === fraud.name ? [name] : []));
  await withAdmin(rig, admin => admin.deleteTopics(names));
  for (const service of ['feature', 'inference'] as const)
    await deleteGroup(rig, consumerGroup(service, fraud));
  const world = openWorld(rig.stack);
  try {
    await prepare(world, [{ ...fraud, partitions: PARTITIONS }], () => FIRST_MODEL_VERSION, rig.options.brokers);
  } finally {
    await world.broker.close();
  }
  const sql = postgres(rig.stack.postgres, { max: 1 });
  await sql`DELETE FROM millrace.consumer_offsets`;
  await sql.end();
}; // prettier-ignore

/** As docs/OPERATING.md has it, under Partitions. */
const migrate = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  const { feed, fleet, follower } = rig;
  feed.resting = true;
  await scene.until(() => feed.ledger.outstanding === 0, END_S_MAX);
  const members = [...fleet.members];
  await Promise.all(fleet.of('feature').map(member => fleet.terminate(member, true)));
  await scene.wait(8); // Inference and sink come to the end.
  await Promise.all(fleet.of('inference').concat(fleet.of('sink')).map(member => fleet.terminate(member, true)));
  const events = await eventsOf(rig);
  await follower.stop();
  await makeAnew(rig);
  rmSync(join(rig.directory, 'state'), { recursive: true, force: true });

  const numbers = new Map(
    feed.ledger.entries.flatMap(({ n, topic, at }) => (at === undefined ? [] : [[placeName(topic, at.partition, at.offset), n]])),
  );
  await feed.renew();
  for (const { topic, partition, offset, key, value } of events)
    await feed.write({ n: numbers.get(placeName(topic, partition, offset)), topic, key, raw: value });
  scene.say(`    ${events.length} events are copied`);
  fleet.plant('eight-partitions');
  await Promise.all(members.map(member => fleet.wake(member)));
  follower.start();
  feed.resting = false;
}; // prettier-ignore

export const addedPartitions = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  const { fleet } = rig;
  const what = `${TOPICS.scored} has ${PARTITIONS} partitions, and had ${fraud.partitions}`;
  const add = async (): Promise<void> => {
    await addPartitions(rig, TOPICS.scored, PARTITIONS);
    await scene.wait(HALT_S);
  };
  // Feature halts until somebody migrates.
  await scene.fault(what, add, { counts: 'not' });
  const ends = fleet.ownEnds.filter(({ name }) => name.startsWith('feature'));
  const others = fleet.ownEnds.length - ends.length;
  scene.say(`    feature ended ${ends.length} times, codes ${[...new Set(ends.map(({ code }) => code))].join(', ')}`);
  const told = fleet.of('feature').every(member => fleet.log(member).some(line => line.includes(`has ${PARTITIONS} partitions`)));
  if (ends.length === 0 || !told || ends.some(({ code }) => code !== 1))
    scene.complaints.push('feature did not halt and say why');
  if (others > 0) scene.complaints.push(`${others} processes of other services ended`);
  await scene.fault('the migration', () => migrate(scene));
  await scene.wait(20);
}; // prettier-ignore
