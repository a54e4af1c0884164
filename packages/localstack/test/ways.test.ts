import { expect, test } from '@jest/globals';
import { chooseWay, whyNotExternal } from '../src/ways.ts';

const ADDRESSES = { KAFKA_BOOTSTRAP_SERVERS: 'kafka:9092', SCHEMA_REGISTRY_URL: 'http://registry' };

test('addresses in the environment come first', async () => {
  expect(await chooseWay(ADDRESSES)).toEqual({ way: 'external', reasons: [] });
});

test('half an address is a mistake that is named', () => {
  expect(whyNotExternal({ KAFKA_BOOTSTRAP_SERVERS: 'kafka:9092' })).toContain('SCHEMA_REGISTRY_URL is not');
  expect(whyNotExternal({ SCHEMA_REGISTRY_URL: 'http://registry' })).toContain(
    'KAFKA_BOOTSTRAP_SERVERS is not',
  );
});

test('a machine with nothing has no way, and every reason is told', async () => {
  const { way, reasons } = await chooseWay({ PATH: '/nonexistent', HOME: '/nonexistent' }, [
    'external',
    'jvm',
  ]);
  expect(way).toBeUndefined();
  expect(reasons).toEqual(['KAFKA_BOOTSTRAP_SERVERS is not set', 'no Java: java does not run']);
});
