/** Kafka's frames on a connection: which request a response answers is known by the number that both carry. */

/** Kafka's numbers of the requests that faults are aimed at. */
export const API = {
  produce: 0,
  fetch: 1,
  offsetCommit: 8,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const;
export type Api = keyof typeof API;

const SIZE_BYTES = 4;

/** Cuts a byte stream into whole frames, each with its size in front. */
export class FrameCutter {
  /** What has come of the next frame: joined when it is whole, since a large one comes in many pieces. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  #wanted = SIZE_BYTES;

  push(chunk: Buffer): readonly Buffer[] {
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
    const frames: Buffer[] = [];
    while (this.#bytes >= this.#wanted) {
      const rest = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      const end = SIZE_BYTES + rest.readInt32BE(0);
      const whole = rest.length >= end;
      if (whole) frames.push(rest.subarray(0, end));
      this.#pieces = [whole ? rest.subarray(end) : rest];
      this.#bytes = this.#pieces[0]!.length;
      this.#wanted = whole ? SIZE_BYTES : end;
    }
    return frames;
  }
}

/** Remembers, by connection, what was asked; an answer takes its question away. */
export class Questions {
  readonly #open = new Map<number, number>();

  /** @returns the number of the request's kind */
  asked(request: Buffer): number {
    const kind = request.readInt16BE(SIZE_BYTES);
    this.#open.set(request.readInt32BE(SIZE_BYTES + 4), kind);
    return kind;
  }

  /** @returns the number of the kind of request that it answers */
  answered(response: Buffer): number | undefined {
    const id = response.readInt32BE(SIZE_BYTES);
    const kind = this.#open.get(id);
    this.#open.delete(id);
    return kind;
  }
}
