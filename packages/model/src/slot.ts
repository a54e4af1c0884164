/** What a slot holds: a model, or a model with what belongs to it. */
export interface Held {
  close(): Promise<void>;
}

/** A model on loan for one batch: given back, it may be freed. */
export interface Lease<M> {
  readonly model: M;
  /** Idempotent. */
  release(): void;
}

/**
 * A name in force, and the model that serves it now. States: empty (nothing was loaded yet), serving, closed. A swap
 * loads the new one beside the old, which serves on; once the new one is warm and its golden rows came out right, the
 * next lease gets it, and the old one is freed when its last lease is back. A failed swap changes nothing.
 */
export interface Slot<M extends Held> {
  /** Undefined while empty or closed. */
  lease(): Lease<M> | undefined;
  /**
   * Swaps run one after the other. Resolves when the new model serves; `onFlip` is called in the same synchronous
   * stretch in which it takes over, for what must change with it. @throws what `load` throws; the old one serves on
   */
  swap(load: () => Promise<M>, onFlip?: (model: M) => void): Promise<void>;
  /** Resolves when every model of the slot is freed. Idempotent. */
  close(): Promise<void>;
}

interface Tenant<M> {
  readonly model: M;
  leases: number;
  leaving: boolean;
  readonly freed: Promise<void>;
  readonly free: () => void;
}

const tenant = <M extends Held>(model: M): Tenant<M> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return {
    model,
    leases: 0,
    leaving: false,
    freed: promise,
    free: () => void model.close().then(resolve, reject),
  };
};

/** @param onFreeFailed told when an old model could not be freed: it no longer serves, so the slot goes on */
export const modelSlot = <M extends Held>(onFreeFailed: (error: unknown) => void): Slot<M> => {
  let serving: Tenant<M> | undefined;
  let swaps: Promise<unknown> = Promise.resolve();
  let closed = false;
  const open = new Set<Promise<void>>();

  const retire = (old: Tenant<M> | undefined): void => {
    if (old === undefined) return;
    old.leaving = true;
    const freed = old.freed.catch(onFreeFailed).finally(() => open.delete(freed));
    open.add(freed);
    if (old.leases === 0) old.free();
  };

  const swapNow = async (load: () => Promise<M>, onFlip?: (model: M) => void): Promise<void> => {
    if (closed) throw new Error('the slot is closed');
    const model = await load();
    if (closed) {
      await model.close();
      throw new Error('the slot was closed while a model was loading');
    }
    const old = serving;
    serving = tenant(model);
    onFlip?.(model);
    retire(old);
  };

  return {
    lease() {
      const held = serving;
      if (held === undefined) return undefined;
      held.leases++;
      let back = false;
      return {
        model: held.model,
        release() {
          if (back) return;
          back = true;
          held.leases--;
          if (held.leaving && held.leases === 0) held.free();
        },
      };
    },
    swap(load, onFlip) {
      const done = swaps.then(() => swapNow(load, onFlip));
      // The next swap waits for this one, whatever became of it; its caller hears of the failure.
      swaps = done.catch(() => undefined);
      return done;
    },
    async close() {
      closed = true;
      await swaps;
      retire(serving);
      serving = undefined;
      await Promise.all(open);
    },
  };
};
