import { describe } from '@jest/globals';
import { describeAdmin } from './contract/admin.ts';
import { describeGroups } from './contract/groups.ts';
import { describeProduce } from './contract/produce.ts';
import { describeRead } from './contract/read.ts';
import { describeRebalances } from './contract/rebalances.ts';
import { describeTransactions } from './contract/transactions.ts';
import type { BrokerHarness } from './harness.ts';

/** What every adapter behind the port must do; run on memory as a unit test and on Kafka as a stack test. */
export const brokerContract = (name: string, makeHarness: () => Promise<BrokerHarness>): void => {
  describe(`${name} keeps the broker contract`, () => {
    describeAdmin(makeHarness);
    describeProduce(makeHarness);
    describeRead(makeHarness);
    describeTransactions(makeHarness);
    describeGroups(makeHarness);
    describeRebalances(makeHarness);
  });
};
