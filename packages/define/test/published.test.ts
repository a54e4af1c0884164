import { expect, test } from '@jest/globals';
import {
  contentDifferences, count, definePipeline, derived, divide, feature, featureInWords, featureView, field, ge, hashView, hour, mean, type PipelineInput,
  publicationsOf, share, sourceFields,
} from '../src/index.ts'; // prettier-ignore

const spending = featureView({
  name: 'spending', version: 1, key: 'customer', owner: 'risk', description: 'What a customer spends.',
  features: {
    spent: mean({ of: 'payments', value: field('amount'), where: ge(hour(field('at')), 6), window: '7d', scale: 2 }),
    number: count({ of: 'payments', window: '7d' }),
    frauds: share({ of: 'labels', where: field('isFraud'), window: '7d', delay: '1d' }),
    ratio: derived(divide(field('amount'), feature('spent'))),
  },
}); // prettier-ignore
const input: PipelineInput = {
  name: 'shop', entity: 'customer', scores: 'payments',
  events: {
    payments: { schema: 's/p', time: 'at', keys: ['customer'] },
    labels: { schema: 's/l', of: 'payments', time: 'at', knownAt: 'knownAt', keys: ['customer'] },
  },
  features: { version: 1, inputs: { amount: field('amount') }, views: [spending] },
  model: { name: 'm', outputs: ['score'], fallback: [] },
  decisions: [{ name: 'ok' }],
}; // prettier-ignore
const shop = definePipeline(input);

test('a value comes from every field that it reads or that decides what counts', () => {
  const from = sourceFields(shop);
  expect(from.get('amount')).toEqual(['payments.amount']);
  expect(from.get('spent')).toEqual(['payments.amount', 'payments.at', 'payments.customer']);
  expect(from.get('frauds')).toEqual(['labels.at', 'labels.customer', 'labels.isFraud', 'labels.knownAt']);
  // Through the feature that it rests on.
  expect(from.get('ratio')).toEqual(['payments.amount', 'payments.at', 'payments.customer']);
});

test('features in words', () => {
  expect(featureInWords(spending.features['spent']!)).toBe(
    'mean of amount over payments, window 7d, where ge(hour(at), 6), 2 decimals, empty missing',
  );
  expect(featureInWords(spending.features['ratio']!)).toBe('divide(amount, feature(spent))');
});

test('views and the set are published with their hash; owner and words are not in the content', () => {
  const [view, set] = publicationsOf(shop);
  expect(view).toMatchObject({ kind: 'view', name: 'spending', version: 1, hash: hashView(spending), owner: 'risk', entity: 'customer' }); // prettier-ignore
  expect(set).toMatchObject({ kind: 'set', name: 'shop', version: 1, owner: 'risk', entity: 'customer' });
  const renamed = definePipeline({ ...input, features: { ...input.features, views: [{ ...spending, owner: 'x', description: 'y' }] } }); // prettier-ignore
  expect(publicationsOf(renamed).map(({ content, hash }) => [content, hash])).toEqual(
    publicationsOf(shop).map(({ content, hash }) => [content, hash]),
  );
});

test('a difference is named by its place, with both sides', () => {
  const { frauds: _, ...rest } = spending.features;
  const views = [{ ...spending, features: { ...rest, number: count({ of: 'payments', window: '30d' }) } }];
  const [before] = publicationsOf(shop);
  const [after] = publicationsOf(definePipeline({ ...input, features: { ...input.features, views } }));
  const found = contentDifferences(before!.content, after!.content);
  expect(found).toContainEqual({ path: 'features.number.aggregate.window', before: '"7d"', after: '"30d"' });
  expect(found.find(({ path }) => path === 'features.frauds')).toMatchObject({ after: undefined });
  expect(contentDifferences(before!.content, before!.content)).toEqual([]);
});
