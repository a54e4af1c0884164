/** Separates the parts of a key. What stands before the last one, with it, is the key's group. */
const SEPARATOR = '\0';

/** Keys with the same group are kept together and can be read together; a key without a separator has the group ''. */
export const groupOf = (key: string): string => key.slice(0, key.lastIndexOf(SEPARATOR) + 1);

/** A map whose entries can also be read by the group of their keys. */
export class GroupedMap<V> {
  readonly #values = new Map<string, V>();
  readonly #groups = new Map<string, Set<string>>();

  get size(): number {
    return this.#values.size;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  set(key: string, value: V): void {
    const before = this.#values.size;
    this.#values.set(key, value);
    if (this.#values.size === before) return;
    const group = groupOf(key);
    const keys = this.#groups.get(group);
    if (keys === undefined) this.#groups.set(group, new Set([key]));
    else keys.add(key);
  }

  delete(key: string): void {
    if (!this.#values.delete(key)) return;
    const group = groupOf(key);
    const keys = this.#groups.get(group)!;
    keys.delete(key);
    if (keys.size === 0) this.#groups.delete(group);
  }

  clear(): void {
    this.#values.clear();
    this.#groups.clear();
  }

  entries(): MapIterator<[string, V]> {
    return this.#values.entries();
  }

  keys(): MapIterator<string> {
    return this.#values.keys();
  }

  *inGroup(group: string): Generator<readonly [string, V]> {
    for (const key of this.#groups.get(group) ?? []) yield [key, this.#values.get(key)!];
  }
}
