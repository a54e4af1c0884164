/** What a night has given, counted where everybody can read it: on the topics, not in the memory of whoever wrote it. */
import { createHash } from 'node:crypto';
import { Bad, type Codec } from '@millrace/avro';
import { deadLetterTopic, letterOf, type PredictionValue } from '@millrace/contracts';
import type { Broker, RecordRun } from '@millrace/stream';
import type { NightOutcome } from './record.ts';

export interface AnswersOf {
  readonly broker: Broker;
  readonly isOurs: (prediction: PredictionValue) => boolean;
  /** Whose dead letters are ours. */
  readonly group: string;
  /** Whose letters they are. */
  readonly input: string;
  readonly predictions: string;
  readonly codec: Codec<PredictionValue>;
  readonly from: { readonly predictions: readonly number[]; readonly letters: readonly number[] };
}

const DIGEST_MODULUS = 1n << 256n;

/** A digest of a set: the order in which its members come does not matter, and one that comes twice does. */
class SetDigest {
  #sum = 0n;

  add(member: string): void {
    const one = BigInt(`0x${createHash('sha256').update(member).digest('hex')}`);
    this.#sum = (this.#sum + one) % DIGEST_MODULUS;
  }

  get hex(): string {
    return this.#sum.toString(16).padStart(64, '0');
  }
}

/** Runs of one partition after the other, from these offsets to the present end. */
async function* partitionsOf(
  broker: Broker,
  topic: string,
  from: readonly number[],
): AsyncGenerator<AsyncIterable<RecordRun>> {
  const [starts, ends] = await Promise.all([
    broker.admin.beginningOffsets(topic),
    broker.admin.endOffsets(topic),
  ]);
  for (const { partition, offset } of ends) {
    const start = starts.find(at => at.partition === partition)?.offset ?? 0;
    const first = Math.max(start, from[partition] ?? 0);
    if (first < offset)
      yield broker.read({
        from: [{ topic, partition, offset: first }],
        until: [{ topic, partition, offset }],
      });
  }
}

const lettersOf = async ({ broker, input, group, from }: AnswersOf): Promise<number> => {
  let letters = 0;
  for await (const runs of partitionsOf(broker, deadLetterTopic(input), from.letters))
    for await (const run of runs)
      for (let i = 0; i < run.length; i++)
        if (letterOf(name => run.header(i, name))?.group === group) letters++;
  return letters;
};

export const countAnswers = async (of: AnswersOf): Promise<Omit<NightOutcome, 'waitedMs' | 'putOff'>> => {
  const { broker, isOurs, predictions, codec, from } = of;
  const digest = new SetDigest();
  const decisions = new Map<string, number>();
  let [scored, repeated] = [0, 0];
  for await (const runs of partitionsOf(broker, predictions, from.predictions)) {
    // An entity's answers are all on one partition, and so are all of one id.
    const ids = new Set<string>();
    for await (const run of runs) {
      const values = Array.from({ length: run.length }, (_, i) => run.value(i));
      await codec.prepare(values);
      for (const bytes of values) {
        const value = bytes === null ? null : codec.decode(bytes);
        if (value === null || value instanceof Bad || !isOurs(value)) continue;
        if (ids.has(value.predictionId)) repeated++;
        else scored++;
        ids.add(value.predictionId);
        decisions.set(value.decision, (decisions.get(value.decision) ?? 0) + 1);
        digest.add(JSON.stringify([value.eventId, value.revision, value.vectorOffset]));
      }
    }
  }
  const byDecision = Object.fromEntries([...decisions].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { scored, repeated, deadLettered: await lettersOf(of), decisions: byDecision, digest: digest.hex };
};
