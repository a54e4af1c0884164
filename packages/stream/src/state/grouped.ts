/** Separates the parts of a key. What stands before the last one, with it, is the key's group. */
const SEPARATOR = '\0';

/** Keys with the same group are kept together and can be read together; a key without a separator has the group ''. */
export const groupOf = (key: string): string => key.slice(0, key.lastIndexOf(SEPARATOR) + 1);

/** A map whose entries can also be read by the group of their keys. */
export class GroupedMap<V> {
  readonly #values = new Map<string, V>();
  /** Made when a group is first asked for: of what is gone again before that, nobody needs them. */
  #groups: Map<string, Set<string>> | undefined;

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
    if (this.#groups !== undefined && this.#values.size > before) addTo(this.#groups, key);
  }

  delete(key: string): void {
    if (!this.#values.delete(key) || this.#groups === undefined) return;
    const group = groupOf(key);
    const keys = this.#groups.get(group)!;
    keys.delete(key);
    if (keys.size === 0) this.#groups.delete(group);
  }

  clear(): void {
    this.#values.clear();
    this.#groups = undefined;
  }

  entries(): MapIterator<[string, V]> {
    return this.#values.entries();
  }

  /** Values as a list: an iterator makes an object for each. */
  list(): readonly V[] {
    // At its full length at once: to grow as it is filled would leave three times as much behind.
    const list: V[] = [];
    list.length = this.#values.size;
    let i = 0;
    this.#values.forEach(value => (list[i++] = value));
    return list;
  }

  keys(): MapIterator<string> {
    return this.#values.keys();
  }

  *inGroup(group: string): Generator<readonly [string, V]> {
    this.#groups ??= this.#grouped();
    for (const key of this.#groups.get(group) ?? []) yield [key, this.#values.get(key)!];
  }

  #grouped(): Map<string, Set<string>> {
    const groups = new Map<string, Set<string>>();
    for (const key of this.#values.keys()) addTo(groups, key);
    return groups;
  }
}

const addTo = (groups: Map<string, Set<string>>, key: string): void => {
  const group = groupOf(key);
  const keys = groups.get(group);
  if (keys === undefined) groups.set(group, new Set([key]));
  else keys.add(key);
};
