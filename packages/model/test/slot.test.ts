import { describe, expect, test } from '@jest/globals';
import { type Held, modelSlot } from '../src/slot.ts';

const fake = (name: string, freed: string[]): Held & { readonly name: string } => ({
  name,
  close: async () => void freed.push(name),
});
const never = (error: unknown): void => {
  throw error;
};
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('a slot', () => {
  test('is empty, then serves what was swapped in', async () => {
    const slot = modelSlot<ReturnType<typeof fake>>(never);
    expect(slot.lease()).toBeUndefined();
    await slot.swap(async () => fake('a', []));
    expect(slot.lease()?.model.name).toBe('a');
  });

  test('frees the old model when its last lease is back', async () => {
    const freed: string[] = [];
    const slot = modelSlot<ReturnType<typeof fake>>(never);
    await slot.swap(async () => fake('a', freed));
    const [first, second] = [slot.lease()!, slot.lease()!];
    let flipped = '';
    await slot.swap(
      async () => fake('b', freed),
      model => {
        flipped = `${model.name}, now serving ${slot.lease()!.model.name}`;
      },
    );
    expect(flipped).toBe('b, now serving b');
    first.release();
    first.release();
    await turn();
    expect(freed).toEqual([]);
    second.release();
    await turn();
    expect(freed).toEqual(['a']);
  });

  test('keeps the old model when the new one does not load', async () => {
    const freed: string[] = [];
    const slot = modelSlot<ReturnType<typeof fake>>(never);
    await slot.swap(async () => fake('a', freed));
    await expect(slot.swap(() => Promise.reject(new Error('no such file')))).rejects.toThrow('no such file');
    expect(slot.lease()?.model.name).toBe('a');
    await slot.swap(async () => fake('c', freed));
    expect(slot.lease()?.model.name).toBe('c');
  });

  test('waits with closing for leases, and frees what loads too late', async () => {
    const freed: string[] = [];
    const slot = modelSlot<ReturnType<typeof fake>>(never);
    await slot.swap(async () => fake('a', freed));
    const lease = slot.lease()!;
    const late = slot.swap(async () => {
      await turn();
      return fake('late', freed);
    });
    const refused = expect(late).rejects.toThrow('closed');
    await turn();
    const closed = slot.close();
    await refused;
    expect(freed).toEqual(['late']);
    lease.release();
    await closed;
    expect(freed).toEqual(['late', 'a']);
    expect(slot.lease()).toBeUndefined();
  });

  test('reports a model that cannot be freed, and goes on', async () => {
    const reported: unknown[] = [];
    const slot = modelSlot<Held>(error => void reported.push(error));
    await slot.swap(async () => ({ close: () => Promise.reject(new Error('stuck')) }));
    await slot.swap(async () => fake('b', []));
    await slot.close();
    expect(reported).toEqual([new Error('stuck')]);
  });
});
