import { memoryStore, type StateStore } from '../state/store.ts';

/**
 * The stores of the tasks that are ours. A store outlives its task objects and generations, so that a task which stays
 * here is restored from where it was; once its partition is lost another owner writes, and it is closed.
 */
export class Stores {
  readonly #open: (task: number) => StateStore | Promise<StateStore>;
  readonly #stores = new Map<number, Promise<StateStore>>();
  readonly #closing = new Map<number, Promise<void>>();

  constructor(open: ((task: number) => StateStore | Promise<StateStore>) | undefined) {
    this.#open = open ?? memoryStore;
  }

  async of(task: number): Promise<StateStore> {
    await this.#closing.get(task);
    let store = this.#stores.get(task);
    if (store === undefined) this.#stores.set(task, (store = Promise.try(() => this.#open(task))));
    try {
      return await store;
    } catch (error) {
      this.#stores.delete(task);
      throw error;
    }
  }

  /** Closes all but these, each when the task that used it is over. */
  keep(tasks: readonly number[], over: (task: number) => Promise<void>): Promise<void> {
    const lost = [...this.#stores.keys()].filter(task => !tasks.includes(task));
    return Promise.all(lost.map(task => this.#close(task, over(task)))).then(() => undefined);
  }

  #close(task: number, over: Promise<void>): Promise<void> {
    const store = this.#stores.get(task)!;
    this.#stores.delete(task);
    const closing = over
      .then(() => store)
      .then(open => open.close())
      .catch(() => undefined) // It could not be opened, or not be closed: the next owner restores from the changelog.
      .then(() => {
        this.#closing.delete(task);
      });
    this.#closing.set(task, closing);
    return closing;
  }
}
