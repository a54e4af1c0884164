import type { MemoryCluster } from './cluster.ts';

/** One process's connection: requests go out and answers come back through the cluster's schedule, in order. */
export interface MemoryClient {
  readonly cluster: MemoryCluster;
  /** Runs the change at the cluster, one step later; its answer arrives another step later. */
  request<T>(change: () => T): Promise<T>;
}

export const memoryClient = (cluster: MemoryCluster): MemoryClient => ({
  cluster,
  request: change =>
    new Promise((resolve, reject) => {
      cluster.schedule(() => {
        let answer: () => void;
        try {
          const result = change();
          answer = () => resolve(result);
        } catch (error) {
          answer = () => reject(error as Error);
        }
        cluster.schedule(answer);
      });
    }),
});
