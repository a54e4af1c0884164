/** Records that nobody can use, a topic of letters that takes none, and letters that are sent again. */
import { once } from 'node:events';
import { join } from 'node:path';
import { catalogue, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import { withAdmin } from '../rig/admin.ts';
import { LETTERS } from '../rig/follower.ts';
import { type HostileRecord, payments } from '../rig/hostile.ts';
import { placeName } from '../rig/ledger.ts';
import { startOwn } from '../rig/ownProcess.ts';
import type { Rig } from '../rig/rig.ts';
import type { Scene } from '../scene.ts';
import { BOTH, repeat, type Scenario } from './scenario.ts';

const TOPIC = topicsOf(fraud).scored;
const CLI = join(import.meta.dirname, '../../../services/cli/src/main.ts');
const EACH = 40;
const ROUNDS = 8;
const MAGIC_BYTES = 5;
/** Nobody has registered so many. */
const UNKNOWN_ID = 2_000_000;
/** Less than any letter has, and more than the markers that end a transaction. */
const TAKES_NOTHING = '100';
const REFUSED_S = 20;
const WRONG = 300;
const LETTERS_S_MAX = 60;
/** A run waits for the transaction of one that was killed, 20 s at most, and then sends. */
const REDRIVE_S_MAX = 90;
const ALONE_S_MAX = 25;
const PAIRS = 6;
/** So that several have something to do. */
const AT_ONCE = 40;

const framed = (magic: number, id: number, rest: Buffer): Buffer => {
  const head = Buffer.alloc(MAGIC_BYTES);
  head.writeUInt8(magic);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, rest]);
};

/** A schema of somebody else under the name of ours. @returns its id */
const registerForeign = async (registry: string): Promise<number> => {
  const schema = JSON.stringify({
    type: 'record',
    name: 'Transaction',
    namespace: 'millrace.fraud',
    fields: [{ name: 'amount', type: 'string' }],
  });
  const answer = await fetch(`${registry}/subjects/somebody-else-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  });
  if (!answer.ok) throw new Error(`the registry answers ${answer.status} to a schema of somebody else`);
  return ((await answer.json()) as { id: number }).id;
};

/** Sends bytes that nobody can use, each in the ledger under a key of its own. */
const sendUnusable = async ({ feed }: Rig, name: string, values: readonly Buffer[]): Promise<void> => {
  for (const [i, value] of values.entries()) {
    const id = `${name}-${i}`;
    const { n } = feed.ledger.add({ kind: 'poison', id, key: id, topic: TOPIC });
    await feed.write({ n, topic: TOPIC, key: id, raw: value.toString('base64') });
  }
};

const garbage = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  const id = await registerForeign(rig.stack.registry);
  const makers: readonly (readonly [string, (i: number) => Buffer])[] = [
    ['no-frame', i => Buffer.from(`no frame ${i}`)],
    ['nothing', () => Buffer.alloc(0)],
    ['wrong-magic', i => framed(1, id, Buffer.from([i]))],
    ['frame-alone', () => framed(0, id, Buffer.alloc(0))],
  ];
  await repeat(ROUNDS, async round => {
    const [name, make] = makers[round % makers.length]!;
    const values = Array.from({ length: EACH }, (_, i) => make(i));
    await scene.fault(`${EACH} records: ${name}`, () => sendUnusable(rig, `${name}-${round}`, values));
    await scene.wait(3);
  });
};

const foreignSchemas = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  const id = await registerForeign(rig.stack.registry);
  await repeat(ROUNDS, async round => {
    const [what, of] = round % 2 === 0 ? ['that ours cannot read', id] : ['that nobody knows', UNKNOWN_ID];
    const values = Array.from({ length: EACH }, () => framed(0, of as number, Buffer.from([2, 0x31])));
    await scene.fault(`${EACH} records of a schema ${what}`, () =>
      sendUnusable(rig, `foreign-${round}`, values),
    );
    await scene.wait(3);
  });
};

const lettersRefused = async (scene: Scene): Promise<void> => {
  const topics = catalogue([fraud]).filter(({ name }) => (LETTERS as readonly string[]).includes(name));
  const limit = (bytes?: string): Promise<void> =>
    withAdmin(scene.rig, async admin => {
      for (const { name, config } of topics)
        await admin.alterTopic(name, { 'max.message.bytes': bytes ?? config['max.message.bytes']! });
    });
  await repeat(2, async () => {
    await scene.fault(`the topics of letters take nothing for ${REFUSED_S} s`, async () => {
      await limit(TAKES_NOTHING);
      const before = scene.rig.follower.letters;
      await scene.wait(REFUSED_S);
      if (scene.rig.follower.letters > before + 1) scene.complaints.push('letters were taken all the same');
      await limit();
    });
    await scene.wait(8);
  });
};

/** The command as a process of its own, with the brokers behind the proxies. */
const redrive = (rig: Rig, lettersMax = WRONG) => {
  const { kafka, registry, postgres } = rig.stack;
  const what = ['--topic', TOPIC, '--reason', 'wrong-key', '--max', String(lettersMax)];
  const child = startOwn(rig, CLI, ['dlq', 'redrive', ...what, '--output', 'json', '--execute'], {
    KAFKA_BOOTSTRAP_SERVERS: kafka,
    SCHEMA_REGISTRY_URL: registry,
    DATABASE_URL: postgres,
  });
  let out = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text));
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, out }));
  return { child, ended };
};

const late = (): never => {
  throw new Error(`dlq redrive takes longer than ${REDRIVE_S_MAX} s`);
};

/** @returns how many letters it has sent */
const redriven = async (scene: Scene): Promise<number> => {
  const { code, out } = await Promise.race([redrive(scene.rig).ended, scene.wait(REDRIVE_S_MAX).then(late)]);
  if (code !== 0) throw new Error(`dlq redrive ended with ${code}`);
  return (JSON.parse(out.trimEnd().split('\n').at(-1)!) as { letters: number }).letters;
};

/** Payments on partitions where their keys do not belong. @returns their records */
const sendMisplaced = async (scene: Scene): Promise<readonly HostileRecord[]> => {
  const { feed } = scene.rig;
  const records = payments(scene.rig, WRONG);
  for (const record of records) {
    const own = murmur2Partition(Buffer.from(record.key), fraud.partitions);
    scene.resent.add(record.n!);
    await feed.write({ ...record, partition: (own + 1) % fraud.partitions });
  }
  return records;
};

const lettersSentAgain = async (scene: Scene): Promise<void> => {
  const { feed, follower } = scene.rig;
  let records: readonly HostileRecord[] = [];
  await scene.fault(`${WRONG} payments where their keys do not belong`, async () => {
    records = await sendMisplaced(scene);
  });
  const isAside = ({ n }: HostileRecord): boolean => {
    const { at } = feed.ledger.entries[n!]!;
    return at !== undefined && follower.aside.has(placeName(TOPIC, at.partition, at.offset));
  };
  if (!(await scene.until(() => records.every(isAside), LETTERS_S_MAX)))
    scene.complaints.push('not all of them became letters');
  let [killed, ended] = [0, 0];
  const kill = ({ child }: ReturnType<typeof redrive>): void => {
    if (child.exitCode === null && child.kill('SIGKILL')) killed++;
  };
  await repeat(PAIRS, async () => {
    await scene.fault(
      'two at once send letters again; one is killed, the other gets along without it',
      async () => {
        const runs = [redrive(scene.rig, AT_ONCE), redrive(scene.rig, AT_ONCE)];
        await scene.wait(scene.between(1, 6));
        const victim = scene.pick(runs);
        kill(victim);
        const other = runs.find(run => run !== victim)!;
        await Promise.race([other.ended, scene.wait(ALONE_S_MAX)]);
        kill(other);
        for (const run of runs) if ((await run.ended).code === 0) ended++;
      },
    );
  });
  await scene.fault('once more, to the end', async () => {
    const rest = await redriven(scene);
    scene.say(
      `    ${killed} were killed, ${ended} came to their end; ${rest} letters were left for the last`,
    );
    if (killed === 0 || rest === WRONG)
      scene.complaints.push('no death hit a run, or none had sent anything');
  });
  if ((await redriven(scene)) > 0) scene.complaints.push('a letter was sent again a second time');
};

export const LETTER_SCENARIOS: readonly Scenario[] = [
  {
    number: 17,
    name: 'poison',
    injects: 'records without a frame, without a byte, with a wrong magic byte, and with a frame alone',
    brokers: BOTH,
    run: garbage,
  },
  {
    number: 18,
    name: 'foreign-schemas',
    injects: 'records of a schema that ours cannot read, and of one that the registry does not know',
    brokers: BOTH,
    run: foreignSchemas,
  },
  {
    number: 20,
    name: 'letters-refused',
    injects: `the topics of letters take nothing for ${REFUSED_S} s, twice`,
    brokers: BOTH,
    run: lettersRefused,
  },
  {
    number: 38,
    name: 'sent-again',
    injects: `letters are sent again by two at once, of which one is killed, ${PAIRS} times, and then twice to the end`,
    brokers: BOTH,
    run: lettersSentAgain,
  },
];
