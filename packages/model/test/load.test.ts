import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { modelFolders } from '../src/folder/read.ts';
import { loadModel, type MakeScorer } from '../src/load.ts';
import type { Manifest } from '../src/manifest/manifest.ts';
import { workerScorer } from '../src/onnx/worker.ts';
import { bytes as field, int, linear, model, node, tensor, text } from './graph.ts';
import { linearManifest } from './manifests.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-model-'));
});
afterEach(() => rm(root, { recursive: true }));

const write = async (folder: string, bytes: Uint8Array, changes: Partial<Manifest> = {}): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.onnx'), bytes);
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(linearManifest(bytes, changes)));
};
const closed: string[] = [];
/** The real thing, noting what was closed. */
const watched: MakeScorer = async (bytes, manifest) => {
  const scorer = await workerScorer(bytes, manifest);
  return {
    ...scorer,
    close: async () => {
      await scorer.close();
      closed.push(manifest.name);
    },
  };
};
const notAsked: MakeScorer = () => Promise.reject(new Error('the engine must not see it'));

describe('loadModel', () => {
  test('offers a model whose bytes and golden rows are right', async () => {
    await write(root, linear());
    const loaded = await loadModel(root, watched);
    expect(loaded.widths).toEqual({ input: 3, output: 1 });
    const { data } = await loaded.scorer.score({ rows: 1, data: Float32Array.of(0, 0, 0) });
    expect(data[0]).toBeCloseTo(1 / (1 + Math.exp(-0.25)), 6);
    await loaded.close();
  });

  test('refuses other bytes than the manifest names', async () => {
    await write(root, linear(), { sha256: '00'.repeat(32) });
    await expect(loadModel(root, notAsked)).rejects.toThrow(
      /has the digest [0-9a-f]{64}, the manifest says 0{64}/,
    );
  });

  test('refuses golden rows that come out otherwise, and leaves nothing behind', async () => {
    const golden = { rows: [[0, 0, 0]], outputs: [[0.9]], tolerance: 1e-3 };
    await write(root, linear(), { golden });
    closed.length = 0;
    await expect(loadModel(root, watched)).rejects.toThrow(
      /golden row 0 in the batch: score is 0\.56\d+, should be 0\.9; golden row 0 alone/,
    );
    expect(closed).toEqual(['linear']);
  });

  const fake =
    (opened: string[], golden = 0.5621765): MakeScorer =>
    async (_, { providers: [provider = ''] }) => {
      if (provider === 'broken') throw new Error('no library for it');
      opened.push(provider);
      return {
        provider: provider === 'unknown' ? 'cpu' : provider,
        score: async ({ rows }) => ({
          data: new Float32Array(rows).fill(provider === 'cuda' ? golden : 0.5621765),
          computeMs: 1,
        }),
        close: async () => void closed.push(provider),
      };
    };
  const GOLDEN = { rows: [[0, 0, 0]], outputs: [[0.5621765]], tolerance: 1e-3 };

  test('opens the model on a second engine, the one that its manifest does not choose, and closes both', async () => {
    for (const [providers, gpu, both] of [
      [['cpu'], 'cuda', ['cpu', 'cuda']],
      [['cuda', 'cpu'], 'cuda', ['cuda', 'cpu']],
      [['tensorrt'], 'cuda', ['tensorrt', 'cpu']],
    ] as const) {
      await write(root, linear(), { golden: GOLDEN, providers });
      const opened: string[] = [];
      closed.length = 0;
      const refused = (): void => expect(opened).toBe('never refused');
      const loaded = await loadModel(root, fake(opened), { gpu, refused });
      expect([opened, loaded.scorer.provider, loaded.beside?.provider]).toEqual([both, ...both]);
      await loaded.close();
      expect(closed).toEqual(both);
    }
    await write(root, linear(), { golden: GOLDEN });
    expect((await loadModel(root, fake([]))).beside).toBeUndefined();
  });

  test('offers the model without a second engine that cannot open it, answers otherwise or is not known, and says why', async () => {
    await write(root, linear(), { golden: GOLDEN });
    for (const [gpu, why, left] of [
      ['broken', 'on broken is refused: no library for it', []],
      ['cuda', /on cuda is refused: golden row 0 in the batch: score is 0\.75, should be/, ['cuda']],
      [
        'unknown',
        "on unknown is refused: this build of the engine has no execution provider 'unknown'",
        ['unknown'],
      ],
    ] as const) {
      closed.length = 0;
      const said: Error[] = [];
      const loaded = await loadModel(root, fake([], 0.75), { gpu, refused: err => said.push(err) });
      expect([loaded.scorer.provider, loaded.beside, closed, said.length]).toEqual([
        'cpu',
        undefined,
        left,
        1,
      ]);
      expect(() => {
        throw said[0]!;
      }).toThrow(why);
    }
  });

  test('an execution provider that the real engine does not have is refused, and its own answers', async () => {
    await write(root, linear());
    const said: string[] = [];
    const loaded = await loadModel(root, workerScorer, {
      gpu: 'none',
      refused: err => said.push(err.message),
    });
    expect(said).toEqual([expect.stringContaining("has no execution provider 'none'")]);
    expect((await loaded.scorer.score({ rows: 1, data: new Float32Array(3) })).data).toHaveLength(1);
    await loaded.close();
  });

  test('refuses operators of an unknown domain before the engine sees them', async () => {
    const odd = model({
      nodes: [node('Odd', ['x'], ['score'], 'evil.corp')],
      inputs: { x: ['N', 3] },
      outputs: { score: ['N', 1] },
      opsets: { '': 13, 'evil.corp': 1 },
    });
    await write(root, odd);
    await expect(loadModel(root, notAsked)).rejects.toThrow('unknown operator domains: evil.corp');
  });

  test('refuses tensors that lie in another file', async () => {
    const external = [
      ...int(1, 3),
      ...int(2, 1),
      ...text(8, 'w'),
      ...field(13, [...text(1, 'location'), ...text(2, '../../secret')]),
      ...int(14, 1),
    ];
    const outside = model({
      nodes: [node('Add', ['x', 'w'], ['score'])],
      tensors: [external, tensor('v', [1], [1])],
      inputs: { x: ['N', 3] },
      outputs: { score: ['N', 3] },
    });
    await write(root, outside);
    await expect(loadModel(root, notAsked)).rejects.toThrow('1 tensors lie in another file');
  });

  test('refuses a link that leads out of the folder', async () => {
    const folder = join(root, 'linked');
    await write(folder, linear());
    await rm(join(folder, 'model.onnx'));
    await writeFile(join(root, 'elsewhere.onnx'), linear());
    await symlink(join(root, 'elsewhere.onnx'), join(folder, 'model.onnx'));
    await expect(loadModel(folder, notAsked)).rejects.toThrow('model.onnx leads out of the folder');
  });

  test('refuses a folder without manifest, and one with a broken manifest', async () => {
    await expect(loadModel(root, notAsked)).rejects.toThrow('manifest.json cannot be read');
    await writeFile(join(root, 'manifest.json'), '{');
    await expect(loadModel(root, notAsked)).rejects.toThrow('manifest.json is no JSON');
    await writeFile(join(root, 'manifest.json'), '{}');
    await expect(loadModel(root, notAsked)).rejects.toThrow('license: must be a text');
  });
});

test('model folders lie one or two levels deep', async () => {
  await write(join(root, 'b'), linear());
  await write(join(root, 'a', '2'), linear());
  await write(join(root, 'a', '1'), linear());
  await mkdir(join(root, 'empty'));
  expect(await modelFolders(root)).toEqual([join(root, 'a', '1'), join(root, 'a', '2'), join(root, 'b')]);
});
