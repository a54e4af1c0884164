import { expect, test } from '@jest/globals';
import { noLogger, systemClock } from '@millrace/telemetry';
import { describeStack, stackAddresses } from '../../../../test/jest/stack.ts';
import { kafkaBroker } from '../../src/kafka/broker.ts';
import { assignedTo, eventually, joinAs, out, unique } from '../broker/harness.ts';

const WAIT_MS_MAX = 1_500;
const [SMALL, LARGE] = ['v', 'v'.repeat(20_000)];

describeStack('a minimum of bytes that a group asks of Kafka', () => {
  test('is waited for, the longest wait at most', async () => {
    const { kafka: bootstrapServers } = stackAddresses();
    const broker = kafkaBroker({ bootstrapServers, clientId: 'minimum', logger: noLogger, clock: systemClock }); // prettier-ignore
    const topic = unique('minimum');
    await broker.admin.createTopics([{ name: topic, partitions: 1, config: {} }]);
    const producer = await broker.producer();
    const member = await joinAs(broker, {
      group: unique('group'),
      topics: [topic],
      fetchBytesMin: SMALL.length + LARGE.length,
      fetchWaitMsMax: WAIT_MS_MAX,
    });
    await assignedTo(member);
    /** Milliseconds from a send, just after the group has asked for more, to what it brings. */
    const waitFor = async (value: string): Promise<number> => {
      const [{ length: seen }, { length: caughtUp }] = [member.seen, member.caughtUp];
      await eventually('to ask for more', () => member.caughtUp.length > caughtUp);
      const sentMs = performance.now();
      await producer.send([out(topic, 0, 'k', value)]);
      await eventually('the record', () => member.seen.length > seen);
      return performance.now() - sentMs;
    };
    expect(await waitFor(SMALL)).toBeGreaterThan(WAIT_MS_MAX / 2);
    // With the head of its batch it is large enough.
    expect(await waitFor(LARGE)).toBeLessThan(WAIT_MS_MAX / 2);
    await member.leave();
    await broker.close();
  });
});
