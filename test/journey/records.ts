/** Records as librdkafka reads them, committed ones only: the judge of what we have written is not ours. */
import { stackAddresses } from '../jest/stack.ts';
import { runScript } from './python.ts';
import type { Ends } from './world.ts';

export interface Judged {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: Buffer;
  readonly headers: ReadonlyMap<string, string>;
}

const bytes = (base64: string | null): Buffer => Buffer.from(base64 ?? '', 'base64');

/** @param python path of a Python with the client */
export const recordsSince = async (python: string, topic: string, from: Ends): Promise<readonly Judged[]> => {
  const starts = JSON.stringify(Object.fromEntries(from.map(({ partition, offset }) => [partition, offset])));
  const lines = await runScript(python, 'records.py', { bootstrap: stackAddresses().kafka, topic, starts });
  return lines
    .filter(line => line !== '')
    .map(line => {
      const read = JSON.parse(line) as {
        partition: number; offset: number; key: string | null; value: string | null; headers: [string, string | null][];
      }; // prettier-ignore
      const { partition, offset, key, value, headers } = read;
      return {
        partition,
        offset,
        key: key === null ? null : bytes(key).toString(),
        value: bytes(value),
        headers: new Map(headers.map(([name, text]) => [name, bytes(text).toString()])),
      };
    });
};
