import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { expect, test } from '@jest/globals';
import { describeStack, stackAddresses, uniqueName } from '../../../../test/jest/stack.ts';
import { systemClock } from '../../../telemetry/src/index.ts';
import { confluentRegistry, openCodec } from '../../src/index.ts';
import { registryContract } from '../registry/contract.ts';

describeStack('on the real registry', () => {
  registryContract(
    'confluent',
    async () => confluentRegistry({ url: stackAddresses().registry, clock: systemClock }),
    uniqueName('t').replaceAll('-', ''),
  );
});

describeStack('together with another client of the registry', () => {
  const schema = JSON.stringify({
    type: 'record',
    name: 'Shared',
    namespace: 'millrace.test',
    fields: [
      { name: 'name', type: 'string' },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ],
  });
  const value = { name: 'Zoë', at: 1_700_000_000_000 };

  test('what it writes we read, and what we write it reads', async () => {
    const subject = `${uniqueName('library')}-value`;
    const url = stackAddresses().registry;
    const ours = confluentRegistry({ url, clock: systemClock });
    const id = await ours.register(subject, schema);
    const codec = await openCodec<typeof value>(ours, { subject, schema });
    const library = new SchemaRegistry({ host: url });
    expect(await library.decode(Buffer.from(codec.encode(value)))).toEqual(value);
    const theirs = await library.encode(id, value);
    await codec.prepare([theirs]);
    expect(codec.decode(theirs)).toEqual(value);
    expect(Buffer.compare(theirs, codec.encode(value))).toBe(0);
  });
});
