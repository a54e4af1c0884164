/** A pipeline that is right, for tests that change one thing of it. */
import {
  count, derived, feature, field, ge, mean, output, type PipelineInput, threshold,
} from '../src/index.ts'; // prettier-ignore

export const good: PipelineInput = {
  name: 'shop',
  entity: 'userId',
  scores: 'orders',
  events: {
    orders: { schema: 'shop/order', time: 'at', keys: ['userId', 'shopId'] },
    returns: {
      schema: 'shop/return',
      of: 'orders',
      time: 'at',
      knownAt: 'knownAt',
      keys: ['userId', 'shopId'],
    },
  },
  features: {
    version: 1,
    inputs: { price: field('price') },
    views: [
      {
        name: 'user-orders',
        version: 1,
        key: 'userId',
        features: {
          orders1d: count({ of: 'orders', window: '1d' }),
          price1d: mean({ of: 'orders', value: field('price'), scale: 2, window: '1d' }),
          ratio: derived(ge(feature('price'), feature('price1d'))),
        },
      },
    ],
  },
  model: { name: 'shop', outputs: ['score'], fallback: [{ constant: { score: 0 } }] },
  thresholds: { high: 0.5 },
  decisions: [{ name: 'stop', when: ge(output('score'), threshold('high')) }, { name: 'go' }],
};
