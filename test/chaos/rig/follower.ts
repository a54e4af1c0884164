/** A reader in read_committed beside the services, of another client: it sees what a consumer of theirs would. */
import { deadLetterTopic, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { placeName } from './ledger.ts';
import { type Script, startScript } from './script.ts';

export interface Answer {
  readonly partition: number;
  readonly offset: number;
  /** When the broker appended it. */
  readonly timeMs: number;
  readonly sourceTopic: string;
  readonly sourcePartition: number;
  readonly sourceOffset: number;
}
/** As `read.py` tells it. */
export interface PredictionLine extends Answer {
  readonly key: string;
  readonly predictionId: string;
  readonly eventId: string;
  readonly entity: string;
  /** Hash of what must be equal in a repeat. */
  readonly content: string;
  readonly features: Readonly<Record<string, number>>;
  readonly fallback: string | null;
}
export interface LetterLine extends Answer {
  readonly reason: string;
}

export interface ReaderAt {
  readonly python: string;
  readonly bootstrap: string;
  readonly registry: string;
}

const TOPICS = topicsOf(fraud);
export const PREDICTIONS = TOPICS.predictions;
export const LETTERS = deadLetterTopic(TOPICS.scored);

export class Follower {
  /** Places of inputs that have an answer. */
  readonly answered = new Set<string>();
  predictions = 0;
  letters = 0;
  readonly #scripts: readonly Script[];

  constructor(at: ReaderAt) {
    const follow = (topic: string, kind: string, count: () => void): Script =>
      startScript(at.python, 'read.py', {
        bootstrap: at.bootstrap, registry: at.registry, topic, as: kind, follow: 'yes',
      }, line => {
        const { sourceTopic, sourcePartition, sourceOffset } = JSON.parse(line) as Answer;
        count();
        this.answered.add(placeName(sourceTopic, sourcePartition, sourceOffset));
      }); // prettier-ignore
    this.#scripts = [
      follow(PREDICTIONS, 'predictions', () => this.predictions++),
      follow(LETTERS, 'letters', () => this.letters++),
    ];
  }

  /** Rejects when a reader fails. */
  get failed(): Promise<unknown> {
    return Promise.all(this.#scripts.map(script => script.ended));
  }

  async close(): Promise<void> {
    for (const script of this.#scripts) script.kill();
    await Promise.allSettled(this.#scripts.map(script => script.ended));
  }
}
