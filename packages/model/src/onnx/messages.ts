import type { Manifest } from '../manifest/manifest.ts';
import type { Scored } from '../scorer.ts';

/** What a model's thread is started with. */
export interface WorkerStart {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  readonly callMsMax?: number;
  readonly rowsMax?: number;
}

export type ToWorker =
  | {
      readonly kind: 'score';
      readonly id: number;
      readonly rows: number;
      readonly data: Float32Array<ArrayBuffer>;
    }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly provider: string }
  | { readonly kind: 'refused'; readonly message: string }
  | {
      readonly kind: 'scored';
      readonly id: number;
      readonly scored: Scored;
      /** What was scored: its memory is used again. */
      readonly data: Float32Array<ArrayBuffer>;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
