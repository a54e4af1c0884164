import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  canonicalJson, count, definePipeline, featureView, field, hashFeatureSet, hashPipeline, hashView, inForce, mean, type PipelineInput,
} from '../src/index.ts'; // prettier-ignore

const view = featureView({
  name: 'spending',
  version: 1,
  key: 'id',
  owner: 'somebody',
  features: {
    n: count({ of: 'events', window: '1d' }),
    m: mean({ of: 'events', value: field('x'), window: '1d' }),
  },
});
const input: PipelineInput = {
  name: 'p',
  entity: 'id',
  scores: 'events',
  events: { events: { schema: 'p/e', time: 'at', keys: ['id'] } },
  features: { version: 1, inputs: { x: field('x') }, views: [view] },
  model: { name: 'm', outputs: ['y'], fallback: [] },
  decisions: [{ name: 'any' }],
};

describe('hashes', () => {
  test('canonical JSON sorts keys and leaves out what is undefined', () => {
    expect(canonicalJson({ b: [1, 'ä', null], a: { d: undefined, c: true } })).toBe(
      '{"a":{"c":true},"b":[1,"ä",null]}',
    );
    expect(() => canonicalJson({ a: Number.NaN })).toThrow(RangeError);
  });

  test('is the SHA-256 of the view as data with the version of each computation', () => {
    const expected =
      '{"features":[["n",{"aggregate":{"delay":"0ms","empty":0,"kind":"count","of":"events","scale":0,"window":"1d"}},1],' +
      '["m",{"aggregate":{"delay":"0ms","empty":"missing","kind":"mean","of":"events","scale":0,"value":{"name":"x","op":"field"},"window":"1d"}},1]],' +
      '"key":"id","name":"spending","version":1}';
    expect(hashView(view)).toBe(createHash('sha256').update(expected).digest('hex'));
  });

  test('change with what changes a value, and with nothing else', () => {
    const { n, m } = view.features;
    expect(hashView({ ...view, owner: 'other', description: 'new words' })).toBe(hashView(view));
    expect(hashView({ ...view, freshness: { entityStaleAfter: '2h', policy: 'refuse' } })).toBe(
      hashView(view),
    );
    expect(hashView({ ...view, features: { m: m!, n: n! } })).not.toBe(hashView(view));
    expect(hashView({ ...view, features: { n: count({ of: 'events', window: '2d' }), m: m! } })).not.toBe(
      hashView(view),
    );
    const base = definePipeline(input);
    const set = hashFeatureSet(base);
    expect(hashFeatureSet(definePipeline({ ...input, thresholds: { t: 1 }, partitions: 12 }))).toBe(set);
    expect(hashFeatureSet(definePipeline({ ...input, timeZone: 'Asia/Tokyo' }))).not.toBe(set);
    expect(
      hashFeatureSet(definePipeline({ ...input, features: { ...input.features, version: 2 } })),
    ).not.toBe(set);
    // A table counts where a view of the set reads it, and not where only decisions do.
    const rates = { schema: 'a/rate', time: 'since', keys: [input.entity], table: true as const };
    const rate = inForce({ of: 'rates', value: field('rate') });
    const tables = { ...input, events: { ...input.events, rates } };
    expect(hashFeatureSet(definePipeline({ ...tables, reference: { rate } }))).toBe(set);
    const views = [
      ...input.features.views,
      { name: 'rated', version: 1, key: input.entity, features: { rate } },
    ];
    const read = hashFeatureSet(definePipeline({ ...tables, features: { ...input.features, views } }));
    const renamed = { ...tables, events: { ...input.events, rates: { ...rates, time: 'from' } } };
    expect(hashFeatureSet(definePipeline({ ...renamed, features: { ...input.features, views } }))).not.toBe(
      read,
    );
    expect(hashPipeline(definePipeline({ ...input, thresholds: { t: 1 } }))).not.toBe(hashPipeline(base));
    expect(hashPipeline({ ...base, description: 'words' })).toBe(hashPipeline(base));
    const night = { cron: '30 1 * * *', startWithin: '2h', takesAtMost: '3h' } as const;
    expect(hashPipeline(definePipeline({ ...input, night }))).toBe(hashPipeline(base));
    expect(hashPipeline({ ...base, rejects: { sink: { 'bad-value': 'stop' } } })).toBe(hashPipeline(base));
  });
});
