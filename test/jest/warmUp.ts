import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';

const NAME = 'millrace-warm-up';
const ATTEMPTS_MAX = 100;
const PAUSE_MS = 200;

/**
 * Uses both coordinators once. A broker that has started does not have them ready yet, and the first test to use them
 * would wait, or see errors that mean nothing.
 */
export async function warmUp(bootstrap: string): Promise<void> {
  const kafka = new Kafka({
    brokers: bootstrap.split(','),
    clientId: NAME,
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 40 },
  });
  const admin = kafka.admin();
  const producer = kafka.producer({ transactionalId: NAME, maxInFlightRequests: 1 });
  await admin.connect();
  await producer.connect();
  try {
    await untilOffsetsAnswer(admin);
    await abortOnce(producer);
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

/** The client does not repeat this request by itself. */
async function untilOffsetsAnswer(admin: Admin): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.fetchOffsets({ groupId: NAME });
      return;
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

async function abortOnce(producer: Producer): Promise<void> {
  const transaction = await producer.transaction();
  await transaction.abort();
}
