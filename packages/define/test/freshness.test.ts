import { describe, expect, test } from '@jest/globals';
import {
  checkPipeline, definePipeline, derived, type FeatureView, field, type Freshness, ge, share,
} from '../src/index.ts'; // prettier-ignore
import { good } from './shop.ts';

describe('freshness', () => {
  const [view] = good.features.views;
  const withFreshness = (freshness: Freshness, changes: Partial<FeatureView> = {}, model = good.model) =>
    checkPipeline({
      ...definePipeline({ ...good, model }),
      features: { ...good.features, views: [{ ...view!, freshness, ...changes }] },
    });
  const ofReturns = {
    ...view!.features,
    returned: share({ of: 'returns', where: field('isReturned'), window: '7d' }),
  };

  test('stands with a bound that can be passed and a policy that can be kept', () => {
    expect(withFreshness({ entityStaleAfter: '30d', policy: 'score' })).toEqual([]);
    expect(withFreshness({ staleAfter: '2h', policy: 'fallback' }, { features: ofReturns })).toEqual([]);
  });

  test('is refused where it could never hold, or says nothing', () => {
    const place = 'view user-orders.freshness';
    expect(withFreshness({ policy: 'score' })).toEqual([
      `${place}: it has neither staleAfter nor entityStaleAfter`,
    ]);
    expect(withFreshness({ staleAfter: '2h', policy: 'score' })).toEqual([
      `${place}.staleAfter: the view reads 'orders' alone, which is never behind its own events`,
    ]);
    expect(withFreshness({ entityStaleAfter: '5ms', policy: 'score' })).toEqual([
      `${place}.entityStaleAfter: '5ms' is no duration of a second or more`,
    ]);
    expect(withFreshness({ entityStaleAfter: '1d', policy: 'drop' as never })).toEqual([
      `${place}.policy: 'drop' is none of score, fallback, refuse`,
    ]);
    const derivedOnly = { key: undefined as never, features: { r: derived(ge(field('price'), 1)) } };
    expect(withFreshness({ entityStaleAfter: '1d', policy: 'score' }, derivedOnly)).toContain(
      `${place}: the view keeps nothing that could grow old`,
    );
    const models = { ...good.model, fallback: ['small'] };
    expect(withFreshness({ entityStaleAfter: '1d', policy: 'fallback' }, {}, models)).toEqual([
      `${place}.policy: model.fallback has no constant, and a smaller model would read the same stale view`,
    ]);
  });
});
