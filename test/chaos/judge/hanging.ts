/** Kafka's own tool for transactions that hang; the local stack has its libraries, the tool itself is fetched once. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, findJava } from '@millrace/localstack';

const run = promisify(execFile);
const TOOL = { artifact: 'org.apache.kafka:kafka-tools:4.4.0', file: 'kafka-tools-4.4.0.jar' } as const;
const SHA256 = '4eb9a7fbfd63badfd8d1a677aa2d54b47b2b2d442ff7d68fd223972afea1954c';
const FETCH_MS_MAX = 180_000;
const ASK_MS_MAX = 60_000;

const fetched = async (): Promise<string> => {
  const folder = join(dirname(cacheFolder(process.env)), 'kafka-tools-4.4.0');
  const file = join(folder, TOOL.file);
  if (!existsSync(file)) {
    const draft = `${folder}.${process.pid}`;
    try {
      mkdirSync(draft, { recursive: true });
      const copy = [
        '-B',
        '-q',
        'dependency:copy',
        `-Dartifact=${TOOL.artifact}`,
        `-DoutputDirectory=${draft}`,
      ];
      await run('mvn', copy, { cwd: draft, timeout: FETCH_MS_MAX });
      if (!existsSync(folder)) renameSync(draft, folder);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  if (createHash('sha256').update(readFileSync(file)).digest('hex') !== SHA256)
    throw new Error(`${file} is not the file that it should be: remove it`);
  return file;
};

/** Lines of `kafka-transactions.sh find-hanging`, one for each transaction that hangs on a broker. */
export const hangingTransactions = async (bootstrap: string, brokers: number): Promise<readonly string[]> => {
  const java = await findJava(process.env);
  if (typeof java === 'string') throw new Error(java);
  const jars = join(cacheFolder(process.env), 'kafka', '*');
  const asked = Array.from({ length: brokers }, async (_, i) => {
    const { stdout } = await run(
      java.command,
      [
        '-Xmx128m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
        '-cp', `${jars}:${await fetched()}`, 'org.apache.kafka.tools.TransactionsCommand',
        '--bootstrap-server', bootstrap,
        // However short a transaction has been open: at the end of a run there should be none.
        'find-hanging', '--broker-id', String(i + 1), '--max-transaction-timeout', '0',
      ],
      { timeout: ASK_MS_MAX },
    ); // prettier-ignore
    // The first line names the columns.
    return stdout
      .trim()
      .split('\n')
      .slice(1)
      .filter(line => line.trim() !== '');
  });
  return (await Promise.all(asked)).flat();
};
