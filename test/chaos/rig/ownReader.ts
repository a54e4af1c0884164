/** A process that reads a topic from its beginning to its end, as the product restores state, and prints each key's newest. */
import { kafkaBroker } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';

const [bootstrap, topic] = process.argv.slice(2) as [string, string];
const broker = kafkaBroker({
  bootstrapServers: bootstrap,
  clientId: 'chaos-own-reader',
  logger: noLogger,
  clock: systemClock,
});
const newest: Record<string, string> = {};
const until = await broker.admin.endOffsets(topic);
for await (const run of broker.read({ from: { topic, at: 'beginning' }, until }))
  for (let i = 0; i < run.length; i++)
    newest[Buffer.from(run.key(i) ?? []).toString()] = Buffer.from(run.value(i) ?? []).toString();
await broker.close();
process.stdout.write(JSON.stringify(newest));
