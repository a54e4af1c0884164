/** What is fuzzed: something that takes bytes from outside. */
export interface Target {
  readonly name: string;
  /** Good inputs, from which hostile ones are made. */
  readonly samples: readonly Uint8Array[];
  /** Words that make trouble more likely than chance. */
  readonly words?: readonly string[];
  /** Bytes of one input, at most. */
  readonly bytesMax: number;
  /** Answers any bytes at all: with a value, or in the way that bad input is answered. @throws where it is at fault */
  run(input: Uint8Array): void | Promise<void>;
  close?(): Promise<void>;
}

export const utf8 = (text: string): Uint8Array => Buffer.from(text);
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** A rule about what a decoder returns was broken. */
export const must = (holds: boolean, rule: string): void => {
  if (!holds) throw new Error(`broken: ${rule}`);
};
