import { type Cluster, type Node } from './internals.ts';
import { isRefusal, isUnanswered, isUninformed, typeOf } from './errors.ts';

export const GROUP = 0;
export const TRANSACTION = 1;

const MOVED = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE']);

/**
 * The node that coordinates a group or a transactional id: looked up once, forgotten when it has moved, did not
 * answer, or is no node of the cluster any more. kafkajs looks it up for every request, which is half of the requests of a transaction.
 */
export class Coordinator {
  readonly #cluster: Cluster;
  readonly #wanted: { readonly groupId: string; readonly coordinatorType: number };
  #nodeId: number | string | undefined;

  constructor(cluster: Cluster, id: string, type: typeof GROUP | typeof TRANSACTION) {
    this.#cluster = cluster;
    this.#wanted = { groupId: id, coordinatorType: type };
  }

  async ask<T>(request: (node: Node) => Promise<T>): Promise<T> {
    try {
      return await request(await this.#node());
    } catch (error) {
      const isAway = isUnanswered(error) || isUninformed(error);
      if (isAway || MOVED.has(typeOf(error) ?? '')) this.#nodeId = undefined;
      throw error;
    }
  }

  async #node(): Promise<Node> {
    if (this.#nodeId !== undefined) return this.#cluster.findBroker({ nodeId: this.#nodeId });
    await this.#cluster.connect();
    await this.#cluster.refreshMetadataIfNecessary();
    try {
      const node = await this.#cluster.findGroupCoordinator(this.#wanted);
      this.#nodeId = node.nodeId;
      return node;
    } catch (error) {
      throw await this.#reasonFor(error);
    }
  }

  /** kafkajs asks every node and drops what they say, so that a refusal looks like a coordinator that is not there yet. */
  async #reasonFor(error: unknown): Promise<unknown> {
    try {
      const node = await this.#cluster.findControllerBroker();
      await node.findGroupCoordinator(this.#wanted);
      return error;
    } catch (reason) {
      return isRefusal(reason) ? reason : error;
    }
  }
}
