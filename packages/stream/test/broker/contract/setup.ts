import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Broker } from '../../../src/broker/port.ts';
import { type BrokerHarness, unique } from '../harness.ts';

export interface Setup {
  readonly harness: BrokerHarness;
  readonly broker: Broker;
  /** A client that is closed after the test. */
  another(): Broker;
  /** Creates a topic of a name of its own. Append times are the broker's, as on all topics of the catalogue. */
  topic(partitions: number, config?: Readonly<Record<string, string>>): Promise<string>;
}

/** One cluster for a describe block, fresh clients for each test: a member that a test leaves behind is closed. */
export const setUp = (makeHarness: () => Promise<BrokerHarness>): Setup => {
  let harness: BrokerHarness;
  let open: Broker[] = [];
  const another = (): Broker => {
    const broker = harness.connect();
    open.push(broker);
    return broker;
  };
  let shared: Broker | undefined;
  beforeAll(async () => {
    harness = await makeHarness();
  });
  afterEach(async () => {
    await Promise.all(open.map(broker => broker.close()));
    open = [];
    shared = undefined;
  });
  afterAll(() => harness.close());
  return {
    get harness() {
      return harness;
    },
    get broker() {
      return (shared ??= another());
    },
    another,
    topic: async (partitions, config = {}) => {
      const name = unique('contract');
      const appended = { 'message.timestamp.type': 'LogAppendTime', ...config };
      await (shared ??= another()).admin.createTopics([{ name, partitions, config: appended }]);
      return name;
    },
  };
};
