import { describe, expect, test } from '@jest/globals';
import { catalogue, type ExistingTopic, topicPlan } from '../../src/index.ts';
import { schemas, shop } from '../pipeline.ts';

const topics = catalogue([shop()], schemas);
const [events] = topics;
/** As a cluster describes it: with settings that we do not state. */
const asDescribed = ({ name, partitions, config }: ExistingTopic): ExistingTopic => ({
  name,
  partitions,
  config: { 'segment.bytes': '1073741824', ...config },
});

describe('topics: what would be done', () => {
  test('all are created on an empty cluster', () => {
    expect(topicPlan(topics, []).map(({ action }) => action)).toEqual(topics.map(() => 'create'));
  });

  test('nothing where they are as they should be', () => {
    expect(topicPlan(topics, topics.map(asDescribed)).map(({ action }) => action)).toEqual(
      topics.map(() => 'none'),
    );
  });

  test('settings that differ are changed, others left alone', () => {
    const config = { ...events!.config, 'retention.ms': '1000' };
    const [step] = topicPlan([events!], [asDescribed({ ...events!, config })]);
    expect(step).toMatchObject({ action: 'alter' });
    expect(step!.changes).toEqual([
      { name: 'retention.ms', from: '1000', to: events!.config['retention.ms'] },
    ]);
  });

  test.each([1, 3, 5, 12])('another number of partitions (%d) is refused', partitions => {
    const [step] = topicPlan([events!], [asDescribed({ ...events!, partitions })]);
    expect(step).toMatchObject({ action: 'refuse', changes: [] });
    expect(step!.reason).toContain(`${partitions} partitions and the definition says 4`);
  });
});
