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
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly Buffer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    while (this.#rest.length >= SIZE_BYTES) {
      const end = SIZE_BYTES + this.#rest.readInt32BE(0);
      if (this.#rest.length < end) break;
      frames.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
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
