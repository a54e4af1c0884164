/** Payments and labels, simulated, as producers send them. */
import { openPublisher, type Publisher, type World } from '@millrace/cli';
import type { Pipeline } from '@millrace/define';
import { FRAUD_SIMULATION, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';

export interface Traffic {
  /** Sends the next events. */
  send(count: number): Promise<void>;
  /** Ids of the payments that were sent. */
  readonly payments: readonly string[];
  close(): Promise<void>;
}

export const openTraffic = async (world: World, pipeline: Pipeline): Promise<Traffic> => {
  const publisher: Publisher = await openPublisher(world, pipeline);
  const simulation = {
    ...FRAUD_SIMULATION,
    seed: 7,
    customers: 40,
    terminals: 15,
    days: 60,
    labelDelayDays: 7,
  };
  const events: Iterator<SimulatedEvent> = simulateFraud(simulation)[Symbol.iterator]();
  const payments: string[] = [];
  return {
    payments,
    send: async count => {
      const batch: SimulatedEvent[] = [];
      for (let i = 0; i < count; i++) {
        const next = events.next();
        if (next.done === true) throw new Error('the simulation has no more events');
        batch.push(next.value);
      }
      await publisher.publish(
        batch.map(({ stream, value }) => ({
          stream,
          value: { revision: 0, withdrawn: false, lineage: null, ...value },
        })),
      );
      for (const { stream, value } of batch) if (stream === pipeline.scores) payments.push(value.eventId);
    },
    close: () => publisher.close(),
  };
};
