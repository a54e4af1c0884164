import { GroupedMap } from '../state/grouped.ts';

/** Changes in memory over what is on disk. */
export class Layer extends GroupedMap<Uint8Array | null> {
  /** Of all changes made, those that were made again since included. */
  bytes = 0;

  override set(key: string, value: Uint8Array | null): void {
    this.bytes += key.length + (value?.length ?? 0);
    super.set(key, value);
  }
}
