import { expect, test } from '@jest/globals';
import { aclsOf, catalogue } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { printAcls } from '../../src/commands/acls.ts';
import { UsageError } from '../../src/io.ts';
import { fakeIo } from '../fakeIo.ts';

const FORM = 'User:{service}';

test('as commands: one for all resources with the same rights, each name once', () => {
  const io = fakeIo();
  expect(printAcls(io, [fraud], { service: 'sink', principal: 'User:CN={service}', output: 'commands' })).toBe(0);
  const tool = 'kafka-acls.sh --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS" --command-config "$COMMAND_CONFIG" --add';
  expect(io.data).toEqual([
    `${tool} --allow-principal 'User:CN=sink' --operation Read --operation DescribeConfigs --topic fraud.predictions.v1 --topic fraud.predictions.v1.aside`,
    `${tool} --allow-principal 'User:CN=sink' --operation Write --operation DescribeConfigs --topic fraud.predictions.v1.dlq`,
    `${tool} --allow-principal 'User:CN=sink' --operation Read --group millrace.sink.fraud`,
  ]);
}); // prettier-ignore

test('as JSON and as a table: every right of every service', () => {
  const json = fakeIo();
  printAcls(json, [fraud], { principal: FORM, output: 'json' });
  const all = aclsOf([fraud], catalogue([fraud]));
  expect(JSON.parse(json.data[0]!)).toEqual(all.map(acl => ({ principal: `User:${acl.service}`, ...acl })));
  const table = fakeIo();
  printAcls(table, [fraud], { principal: FORM, output: 'table' });
  expect(table.data.length).toBe(all.length + 2);
  expect(table.data.join('\n')).toContain('tx.millrace.feature.fraud.v1.*');
});

test('a service that there is not, and a principal that is the same for all, are refused', () => {
  const print = (service: string | undefined, principal: string) => () =>
    printAcls(fakeIo(), [fraud], { ...(service !== undefined && { service }), principal, output: 'table' });
  expect(print('nobody', FORM)).toThrow(UsageError);
  expect(print(undefined, 'User:everyone')).toThrow('must hold {service}');
  expect(print(undefined, "User:'{service}")).toThrow(UsageError);
});
