import { Readable } from 'node:stream';
import type { Io } from '@millrace/cli';

export interface Terminal extends Io {
  readonly data: string[];
  readonly said: string[];
  interrupt(): void;
}

/** A terminal that remembers. @param listen told each line of progress */
export const terminal = (listen: (line: string, io: Terminal) => void = () => undefined): Terminal => {
  const abort = new AbortController();
  const io: Terminal = {
    data: [],
    said: [],
    out: line => void io.data.push(line),
    say: line => {
      io.said.push(line);
      listen(line, io);
    },
    rewrite: () => undefined,
    stdin: Readable.from([]),
    environment: {},
    signal: abort.signal,
    interactive: false,
    interrupt: () => abort.abort(new Error('interrupted')),
  };
  return io;
};
