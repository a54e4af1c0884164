/** What no careful producer would send: records with thousands of headers, and batches of any codec and any size. */
import { topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { sentValue } from './feed.ts';
import type { Rig } from './rig.ts';
import { startScript } from './script.ts';

const TOPIC = topicsOf(fraud).scored;
const PREFIX = 'x-';

/** A record as `hostile.py` takes it. Those with a number are in the ledger. */
export interface HostileRecord {
  readonly n?: number;
  readonly topic: string;
  readonly key: string;
  readonly value?: object;
  readonly raw?: string;
  readonly size?: number;
  readonly count?: number;
}

export interface HostileBatch {
  readonly codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly records: readonly HostileRecord[];
}

/** How many records of a batch the broker took, and how many it refused, by the name of the error. */
export interface Taken {
  readonly taken: number;
  readonly refused: Readonly<Record<string, number>>;
}

/** Payments of customers of their own. */
export const payments = ({ feed }: Rig, count: number): readonly HostileRecord[] =>
  Array.from({ length: count }, () => {
    const event = feed.takePayment(PREFIX);
    const { eventId: id, customerId: key } = event.value;
    const { n } = feed.ledger.add({ kind: 'event', id, key, topic: TOPIC }, event);
    return { n, topic: TOPIC, key, value: sentValue(event) };
  });

/** Something that nobody can read, so large. */
export const poison = ({ feed }: Rig, id: string, size: number): HostileRecord => {
  const { n } = feed.ledger.add({ kind: 'poison', id, key: id, topic: TOPIC });
  return { n, topic: TOPIC, key: id, raw: id, size };
};

/** The same, where it will be refused: nothing is to be answered. */
export const unasked = (id: string, size: number): HostileRecord => ({
  topic: TOPIC,
  key: id,
  raw: id,
  size,
});

/** Records without a value, which have no effect. */
export const tombstones = (count: number): HostileRecord => ({ topic: TOPIC, key: `${PREFIX}nobody`, count });

/** A payment whose ids would not fit, once they are beside each other, into what brokers take. */
export const outgrowing = ({ feed }: Rig, idBytes: number): HostileRecord => {
  const { value } = feed.takePayment(PREFIX);
  const [id, key] = ['e', 'c'].map(letter => letter.repeat(idBytes)) as [string, string];
  const grown = { ...value, eventId: id, customerId: key, terminalId: 't'.repeat(idBytes) };
  const { n } = feed.ledger.add({ kind: 'poison', id, key, topic: TOPIC });
  return { n, topic: TOPIC, key, value: sentValue({ stream: 'transactions', value: grown }) };
};

export const sendHostile = async (
  { python, stack, feed }: Rig,
  batches: readonly HostileBatch[],
): Promise<readonly Taken[]> => {
  const told: Taken[] = [];
  const script = startScript(
    python,
    'hostile.py',
    { bootstrap: stack.kafka, registry: stack.registry },
    line => {
      const said = JSON.parse(line) as Taken | { n: number; partition: number; offset: number };
      if ('n' in said) feed.ledger.acknowledge(said.n, said);
      else told.push(said);
    },
  );
  for (const batch of batches) await script.write(JSON.stringify(batch));
  script.end();
  await script.ended;
  return told;
};

/** Payments, and records that nobody can read, with so many headers each; `__proto__` and `constructor` among them. */
export const sendHeaders = async (rig: Rig, count: number, headers: number): Promise<void> => {
  const { feed, stack } = rig;
  const script = feed.script('load.py', { bootstrap: stack.kafka, registry: stack.registry });
  const good = payments(rig, count);
  for (const [i, record] of good.entries()) {
    await script.write(JSON.stringify({ ...record, headers }));
    const { n, key, raw } = poison(rig, `headers-${i}`, 0);
    await script.write(
      JSON.stringify({ n, topic: TOPIC, key, raw: Buffer.from(raw!).toString('base64'), headers }),
    );
  }
  script.end();
  await script.ended;
};
