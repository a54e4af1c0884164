/** Payments and labels, simulated, as producers send them. */
import { openPublisher, type Publisher, type World } from '@millrace/cli';
import type { Pipeline } from '@millrace/define';
import {
  FRAUD_SIMULATION,
  type FraudSimulation,
  simulateFraud,
  type SimulatedEvent,
} from '@millrace/pipelines';

export type SimulatedPayment = Extract<SimulatedEvent, { readonly stream: 'transactions' }>['value'];

export interface Traffic {
  /** Sends the next events. */
  send(count: number): Promise<void>;
  /** The payments that were sent. */
  readonly payments: readonly SimulatedPayment[];
  close(): Promise<void>;
}

export const openTraffic = async (
  world: World,
  pipeline: Pipeline,
  size: Pick<FraudSimulation, 'customers' | 'terminals'> = { customers: 40, terminals: 15 },
): Promise<Traffic> => {
  const publisher: Publisher = await openPublisher(world, pipeline);
  const simulation = { ...FRAUD_SIMULATION, ...size, seed: 7, days: 60, labelDelayDays: 7 };
  const events: Iterator<SimulatedEvent> = simulateFraud(simulation)[Symbol.iterator]();
  const payments: SimulatedPayment[] = [];
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
      for (const event of batch) if (event.stream === 'transactions') payments.push(event.value);
    },
    close: () => publisher.close(),
  };
};
