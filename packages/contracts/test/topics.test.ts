import { describe, expect, test } from '@jest/globals';
import { asideTopic, deadLetterTopic, stageKeys, topicsOf, valueSubject } from '../src/index.ts';
import { shop } from './pipeline.ts';

describe('names of topics', () => {
  test('of a pipeline with one key: one stage, nothing between stages', () => {
    expect(topicsOf(shop())).toEqual({
      events: { orders: 'shop-orders.orders.v1' },
      scored: 'shop-orders.orders.v1',
      pushes: {},
      features: 'shop-orders.features.v2',
      aside: 'shop-orders.features.v2.aside',
      predictions: 'shop-orders.predictions.v1',
      deferred: 'shop-orders.deferred.v1',
      repartition: {},
      release: undefined,
      changelog: 'shop-orders.feature.v2.state.changelog',
      progress: 'shop-orders.feature.v2.progress',
      epochs: 'shop-orders.feature.v2.epochs',
      cuts: 'shop-orders.inference.cuts',
    });
  });

  test('of one with several: a topic to each further stage, and one back to the entity', () => {
    const pipeline = shop({
      events: { orders: { schema: 'shop/order', time: 'placedAt', keys: ['shopId', 'itemId'] } },
    });
    expect(stageKeys(pipeline)).toEqual(['shopId', 'itemId']);
    expect(topicsOf(pipeline)).toMatchObject({
      repartition: { itemId: 'shop-orders.feature.v2.item-id.repartition' },
      release: 'shop-orders.feature.v2.release.repartition',
    });
  });

  test('that follow from a topic', () => {
    expect(deadLetterTopic('a.v1')).toBe('a.v1.dlq');
    expect(asideTopic('a.v1')).toBe('a.v1.aside');
    // A letter that was sent again and failed again lies with the others, and is sent again to the same place.
    expect(deadLetterTopic('a.v1.aside')).toBe('a.v1.dlq');
    expect(asideTopic('a.v1.aside')).toBe('a.v1.aside');
    expect(valueSubject('a.v1')).toBe('a.v1-value');
  });
});
