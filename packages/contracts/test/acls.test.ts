import { expect, test } from '@jest/globals';
import { type Acl, aclsOf, catalogue, deadLetterTopic, topicsOf } from '../src/index.ts';
import { schemas, shop } from './pipeline.ts';

const pipeline = shop();
const topics = catalogue([pipeline], schemas);
const acls = aclsOf([pipeline], topics);
const of = (service: string): readonly Acl[] => acls.filter(acl => acl.service === service);
const rightsOn = (service: string, name: string): string =>
  of(service)
    .filter(acl => acl.name === name)
    .map(({ operations }) => operations.join(' '))
    .join('; ');

test('a service reads what the catalogue lets it read, and writes what it lets it write', () => {
  const { scored, features, changelog } = topicsOf(pipeline);
  expect(rightsOn('feature', scored)).toBe('Read DescribeConfigs');
  expect(rightsOn('feature', features)).toBe('Write DescribeConfigs');
  expect(rightsOn('feature', changelog)).toBe('Read Write DescribeConfigs');
  expect(rightsOn('feature', deadLetterTopic(scored))).toBe('Write DescribeConfigs');
  expect(rightsOn('producers', scored)).toBe('Write');
  for (const { name, writers, readers } of topics)
    for (const service of ['producers', 'ingest', 'feature', 'inference', 'sink'] as const) {
      const rights = rightsOn(service, name);
      expect([service, name, rights.includes('Write')]).toEqual([service, name, writers.includes(service)]);
      expect([service, name, rights.includes('Read')]).toEqual([service, name, readers.includes(service)]);
    }
});

test('the operator writes where records are replayed to, and never to what services say of themselves', () => {
  const { scored, features, aside, predictions, changelog, progress } = topicsOf(pipeline);
  const written = [scored, aside, predictions].map(name => rightsOn('cli', name));
  expect(written).toEqual(written.map(() => 'Read Write Create DescribeConfigs AlterConfigs'));
  for (const name of [features, changelog, progress]) expect(rightsOn('cli', name)).not.toContain('Write');
});

test('groups are our own, and transactional ids those of our own group, with nothing in between', () => {
  const beside = (service: string) =>
    of(service)
      .filter(({ resource }) => resource !== 'topic')
      .map(({ resource, name, pattern, operations }) => [resource, name, pattern, operations.join(' ')]);
  expect(beside('feature')).toEqual([
    ['group', 'millrace.feature.shop-orders.v2', 'literal', 'Read'],
    // The last point: a pipeline `shop-orders2` is another one.
    ['transactional-id', 'tx.millrace.feature.shop-orders.v2.', 'prefixed', 'Write Describe'],
  ]);
  expect(beside('sink')).toEqual([['group', 'millrace.sink.shop-orders', 'literal', 'Read']]);
  expect(beside('cli')).toEqual([
    ['transactional-id', 'tx.millrace.redrive.', 'prefixed', 'Write Describe'],
    ['group', 'millrace.night.', 'prefixed', 'Read'],
    ['transactional-id', 'tx.millrace.night.', 'prefixed', 'Write Describe'],
    ['group', 'millrace.replay.', 'prefixed', 'Read'],
    ['transactional-id', 'tx.millrace.replay.', 'prefixed', 'Write Describe'],
    // How far a version of a set is built, and how far the stream is behind.
    ['group', 'millrace.feature.shop-orders.v2', 'literal', 'Describe'],
    ['group', 'millrace.inference.shop-orders', 'literal', 'Describe'],
  ]);
  expect([...beside('ingest'), ...beside('producers')]).toEqual([]);
});

test('inference has transactional ids where it is exactly-once, and else none', () => {
  const ids = (inference: 'exactly_once' | 'at_least_once') => {
    const one = { ...pipeline, delivery: { ...pipeline.delivery, inference } };
    return aclsOf([one], topics).filter(
      acl => acl.service === 'inference' && acl.resource === 'transactional-id',
    ).length;
  };
  expect([ids('exactly_once'), ids('at_least_once')]).toEqual([1, 0]);
});

test('topics are created by the operator alone', () => {
  const creators = acls.filter(({ operations }) => operations.includes('Create'));
  expect(new Set(creators.map(({ service }) => service))).toEqual(new Set(['cli']));
  expect(creators.length).toBe(topics.length);
});
