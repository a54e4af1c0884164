import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inspectOnnx, NotOnnx } from '../../src/proto/inspect.ts';
import { bytes, int, linear, model, node, tensor, text } from '../graph.ts';

const IO = { inputs: { x: ['N', 1] }, outputs: { y: ['N', 1] } } as const;

describe('inspectOnnx', () => {
  test('tells opsets and domains', () => {
    const facts = inspectOnnx(
      model({ ...IO, nodes: [node('Odd', ['x'], ['y'], 'evil.corp')], opsets: { '': 13, 'evil.corp': 2 } }),
    );
    expect(facts).toMatchObject({ irVersion: 8, externalTensors: [] });
    expect([...facts.opsets]).toEqual([['', 13], ['evil.corp', 2]]); // prettier-ignore
    expect([...facts.domains]).toEqual(['evil.corp']);
    expect([...inspectOnnx(linear()).domains]).toEqual(['']);
  });

  test('finds a tensor that lies in another file, also deep within', () => {
    const external = [...tensor('w', [1], [1]), ...bytes(13, [...text(1, 'location'), ...text(2, '/etc/passwd')]), ...int(14, 1)]; // prettier-ignore
    const top = model({ ...IO, nodes: [node('Identity', ['x'], ['y'])], tensors: [external] });
    expect(inspectOnnx(top).externalTensors).toEqual(['w']);
    const branch = bytes(5, [...text(1, 'then_branch'), ...bytes(6, bytes(5, external))]);
    const nested = model({ ...IO, nodes: [[...node('If', ['x'], ['y']), ...branch]] });
    expect(inspectOnnx(nested).externalTensors).toEqual(['w']);
    const value = bytes(5, [...text(1, 'value'), ...bytes(5, external)]);
    expect(
      inspectOnnx(model({ ...IO, nodes: [[...node('Constant', [], ['y']), ...value]] })).externalTensors,
    ).toEqual(['w']);
  });

  test('refuses what is no model, and hostile nesting', () => {
    expect(() => inspectOnnx(new Uint8Array(0))).toThrow(NotOnnx);
    expect(() => inspectOnnx(Buffer.from('not a model at all'))).toThrow(NotOnnx);
    let deep: number[] = node('If', ['x'], ['y']);
    for (let i = 0; i < 40; i++) deep = [...node('If', ['x'], ['y']), ...bytes(5, bytes(6, bytes(1, deep)))];
    expect(() => inspectOnnx(model({ ...IO, nodes: [deep] }))).toThrow('too deeply');
  });

  test('any bytes give an answer or NotOnnx, also a model with flipped bits', () => {
    const good = linear();
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, value]) => good.with(at, value)),
      fc.nat(good.length).map(end => good.slice(0, end)),
    );
    fc.assert(
      fc.property(hostile, data => {
        try {
          inspectOnnx(data);
        } catch (error) {
          expect(error).toBeInstanceOf(NotOnnx);
        }
      }),
    );
  });
});
