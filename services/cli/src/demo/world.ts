import type { Broker } from '@millrace/stream';
import type { World } from '../world/prepare.ts';
import type { DemoResult } from './summary.ts';

/** What the demo runs against: the same for real processes and for everything in one process. */
export interface DemoWorld {
  readonly way: DemoResult['stack'];
  readonly world: World & { readonly broker: Broker };
  readonly ingest: string; // http://host:port
  readonly sink: string;
  readonly apiKey: string;
  /** Lines for the end of the summary: where to look. */
  readonly hints: readonly string[];
  /** Stops everything; with `keep`, leaves what can be left running. */
  end(keep: boolean): Promise<void>;
}
