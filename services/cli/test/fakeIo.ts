import { Readable } from 'node:stream';
import type { Io } from '../src/io.ts';

export interface FakeIo extends Io {
  readonly data: string[];
  readonly said: string[];
}

/** A terminal that remembers. */
export const fakeIo = (environment: Record<string, string> = {}): FakeIo => {
  const data: string[] = [];
  const said: string[] = [];
  return {
    data,
    said,
    out: line => void data.push(line),
    say: line => void said.push(line),
    rewrite: () => undefined,
    stdin: Readable.from([]),
    environment,
    signal: new AbortController().signal,
    interactive: false,
  };
};
