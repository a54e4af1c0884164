import type { RigOptions } from '../rig/rig.ts';
import { kafkaTool } from '../rig/tools.ts';

/** Lines of `kafka-transactions.sh find-hanging`, one for each transaction that hangs on a broker. */
export const hangingTransactions = async (
  bootstrap: string,
  { brokers, signal }: Pick<RigOptions, 'brokers' | 'signal'>,
): Promise<readonly string[]> => {
  const asked = Array.from({ length: brokers }, async (_, i) => {
    // However short a transaction has been open: at the end of a run there should be none.
    const wanted = ['find-hanging', '--broker-id', String(i + 1), '--max-transaction-timeout', '0'];
    const args = ['--bootstrap-server', bootstrap, ...wanted];
    const found = await kafkaTool('org.apache.kafka.tools.TransactionsCommand', args, signal);
    // The first line names the columns.
    return found.trim().split('\n').slice(1);
  });
  return (await Promise.all(asked)).flat().filter(line => line.trim() !== '');
};
