/** The fraud pipeline with a business figure in words, and two pushes beside its predictions. */
import { Bad } from '@millrace/avro';
import type { PushValue } from '@millrace/contracts';
import {
  answer,
  divide,
  eq,
  field,
  ge,
  kpi,
  multiply,
  not,
  or,
  output,
  type Pipeline,
  subtract,
  when,
} from '@millrace/define';
import { PIPELINE, type World } from './harness.ts';

export const LARGE = 300;
export const LOSS = 200;
/** Where a ratio divides by zero. */
export const EVEN = 400;

export const PUSHING: Pipeline = {
  ...PIPELINE,
  kpis: {
    expectedLoss: multiply(output('score'), field('amount')),
    size: when(ge(field('amount'), LARGE), 'large', 'small'),
  },
  pushes: {
    alerts: {
      when: or(eq(answer('decision'), 'block'), ge(kpi('expectedLoss'), LOSS)),
      fields: { score: output('score'), size: kpi('size'), lost: kpi('expectedLoss') },
    },
    partners: {
      when: eq(kpi('size'), 'large'),
      key: field('terminalId'),
      fields: {
        terminal: field('terminalId'),
        ratio: divide(field('amount'), subtract(field('amount'), EVEN)),
        isLive: not(eq(answer('runId'), 'n1')),
      },
    },
  },
};

export interface PushRecord extends PushValue {
  readonly key: string;
}

/** What was pushed, committed records only. */
export const pushed = async (world: World, name: string): Promise<readonly PushRecord[]> => {
  const topic = world.topics.pushes[name]!;
  const codec = await world.codec<PushValue>(topic);
  const { broker } = world.ground;
  const found: PushRecord[] = [];
  const until = await broker.admin.endOffsets(topic);
  for await (const run of broker.read({ from: { topic, at: 'beginning' }, until })) {
    await codec.prepare(Array.from({ length: run.length }, (_, i) => run.value(i)));
    for (let i = 0; i < run.length; i++) {
      const value = codec.decode(run.value(i)!);
      if (value instanceof Bad) throw new Error(value.message);
      found.push({ ...value, key: Buffer.from(run.key(i)!).toString() });
    }
  }
  return found;
};
