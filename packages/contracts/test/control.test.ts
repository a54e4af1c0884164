import { describe, expect, test } from '@jest/globals';
import { Bad, localCodec } from '@millrace/avro';
import { compactSchema, type ControlEntry, controlKey, type ControlRecord, controlRecord, parseControl, repositorySchemas } from '../src/index.ts'; // prettier-ignore

const common = {
  revision: 3,
  pipeline: 'fraud',
  name: 'default',
  at: 1_700_000_000_000,
  by: 'ann',
  why: 'first',
};
const entries: readonly ControlEntry[] = [
  { ...common, kind: 'model-alias', name: 'champion', value: { model: 'fraud', version: '1.0.0' } },
  { ...common, kind: 'thresholds', value: { block: 0.8, review: 0.4 } },
  { ...common, kind: 'routes', value: { version: 2, rules: [] } },
];

describe('control entries', () => {
  test.each(entries)('$kind goes through the topic and back', entry => {
    const codec = localCodec<ControlRecord>(compactSchema(repositorySchemas('millrace/control')!));
    const record = codec.decode(codec.encode(controlRecord(entry)));
    expect(parseControl(record as ControlRecord)).toEqual(entry);
  });

  test('are keyed by what they are about', () => {
    expect(controlKey(entries[0]!)).toBe('fraud/model-alias/champion');
  });

  test.each([
    ['model-alias', '{"model":"fraud"}', 'value'],
    ['model-alias', '{"model":"fraud","version":1}', 'value'],
    ['thresholds', '{"block":"high"}', 'value'],
    ['thresholds', '[0.8]', 'value'],
    ['thresholds', '{"__proto__":1}', 'value'],
    ['thresholds', 'not json', 'value'],
    ['thresholds', 'null', 'value'],
    ['routes', '{"version":1,"rules":[{}]}', 'value'],
    ['routes', '{"version":1.5,"rules":[]}', 'value'],
    ['constructor', '{}', 'kind'],
  ])('a wrong %s %s is Bad', (kind, value, field) => {
    const parsed = parseControl({ ...common, kind, value });
    expect(parsed).toBeInstanceOf(Bad);
    expect((parsed as Bad).field).toBe(field);
  });
});
