import { appendFileSync } from 'node:fs';
import type { Publisher, StreamValue } from '@millrace/cli';

/** One record as a line: its stream, and its fields. */
const lineOf = ({ stream, value }: StreamValue): string => `${JSON.stringify({ stream, ...value })}\n`;

/** Publishes, and writes down each record behind those of the file, for a judge that has nothing else of ours. */
export const recording = (
  publisher: Pick<Publisher, 'publish'>,
  file: string,
): Pick<Publisher, 'publish'> => ({
  publish: async values => {
    await publisher.publish(values);
    appendFileSync(file, values.map(lineOf).join(''));
  },
});
