import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { localCodec } from '@millrace/avro';
import { compactSchema, historyProblems, SCHEMA_FOLDER, schemaHistories } from '../../src/index.ts';
import { type Avsc, type AvscRecord, parseRecord } from '../../src/generate/avsc.ts';

describe('a folder of schemas', () => {
  let folder = '';
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-schemas-'));
    put('shop/order.avsc', '"now"');
    put('shop/notes.txt', 'no schema');
    put('history/shop/order.1.avsc', '"first"');
    put('history/shop/order.2.avsc', '"second"');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('gives each schema with its kept versions in order', () => {
    expect(schemaHistories(folder)).toEqual([
      { path: 'shop/order', current: '"now"', kept: ['"first"', '"second"'] },
    ]);
  });
});

/** Paths of fields and named types of a schema that have no doc. */
const undocumented = (type: Avsc, path: string): readonly string[] => {
  if (Array.isArray(type)) return type.flatMap(branch => undocumented(branch as Avsc, path));
  if (typeof type !== 'object') return [];
  const { fields, items, values, doc } = type as AvscRecord & { items?: Avsc; values?: Avsc };
  const inner = [...(items === undefined ? [] : [items]), ...(values === undefined ? [] : [values])];
  return [
    ...('name' in type && typeof doc !== 'string' ? [path] : []),
    ...(fields ?? []).flatMap(field => [
      ...(typeof field.doc === 'string' && field.doc.length > 0 ? [] : [`${path}.${field.name}`]),
      ...undocumented(field.type, `${path}.${field.name}`),
    ]),
    ...inner.flatMap(one => undocumented(one, path)),
  ];
};

describe("this repository's schemas", () => {
  const histories = schemaHistories(SCHEMA_FOLDER);

  test('are there', () => {
    expect(histories.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['fraud/transaction', 'fraud/prediction', 'millrace/control']),
    );
  });

  test('a missing doc is found', () => {
    const inner = { type: 'record', name: 'I', doc: 'I.', fields: [{ name: 'b', type: 'int' }] } as const;
    const fields = [{ name: 'a', type: { type: 'array', items: ['null', inner] }, doc: 'A.' }];
    expect(undocumented({ type: 'record', name: 'R', doc: 'R.', fields }, 'R')).toEqual(['R.a.b']);
  });

  test.each(histories)('$path can be used, has a doc for every field and reads its history', history => {
    localCodec(compactSchema(history.current));
    expect(undocumented(parseRecord(history.current, history.path), history.path)).toEqual([]);
    expect(historyProblems(history)).toEqual([]);
  });
});
