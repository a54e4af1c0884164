import { BrokerError } from '../broker/port.ts';
import type { MemoryCluster } from './cluster.ts';

/** One process's connection: requests go out and answers come back through the cluster's schedule, in order. */
export interface MemoryClient {
  readonly name: string;
  readonly cluster: MemoryCluster;
  /** Runs the change at the cluster, one step later; its answer arrives another step later. */
  request<T>(what: string, change: () => T): Promise<T>;
  /** Something that the cluster tells this client unasked, one step later. */
  deliver(what: string, step: () => void): void;
}

const lost = (what: string): BrokerError =>
  new BrokerError(`${what}: the connection broke, what became of it is unknown`, { retriable: true });

export const memoryClient = (cluster: MemoryCluster, name: string): MemoryClient => ({
  name,
  cluster,
  request: (what, change) =>
    new Promise((resolve, reject) => {
      const answer = (step: () => void): void =>
        cluster.schedule(step, { kind: 'answer', client: name, what });
      const request = { kind: 'request', client: name, what } as const;
      if (cluster.loses(request)) return answer(() => reject(lost(what)));
      cluster.schedule(() => {
        try {
          const result = change();
          if (cluster.loses({ ...request, kind: 'answer' })) answer(() => reject(lost(what)));
          else answer(() => resolve(result));
        } catch (error) {
          answer(() => reject(error as Error));
        }
      }, request);
    }),
  deliver: (what, step) => cluster.schedule(step, { kind: 'delivery', client: name, what }),
});
