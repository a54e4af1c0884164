/** A reader in read_committed beside the services, of another client: it sees what a consumer of theirs would. */
import { deadLetterTopic, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { placeName } from './ledger.ts';
import { type Python, type Script, startScript } from './script.ts';

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
  readonly python: Python;
  readonly bootstrap: string;
  readonly registry: string;
}

const TOPICS = topicsOf(fraud);
export const PREDICTIONS = TOPICS.predictions;
/** Of the payments, and of the vectors. */
export const LETTERS = [deadLetterTopic(TOPICS.scored), deadLetterTopic(TOPICS.features)] as const;

export class Follower {
  /** Ids of events that have a prediction. */
  readonly scored = new Set<string>();
  /** Places of inputs that have a dead letter. */
  readonly aside = new Set<string>();
  predictions = 0;
  letters = 0;
  readonly #at: ReaderAt;
  readonly #failure = Promise.withResolvers<never>();
  #scripts: readonly Script[] = [];

  constructor(at: ReaderAt) {
    this.#at = at;
    this.#failure.promise.catch(() => undefined); // Whoever runs us listens.
    this.start();
  }

  /** Begins to read, or begins again: what was read so far counts no more. */
  start(): void {
    const { python, bootstrap, registry } = this.#at;
    this.scored.clear();
    this.aside.clear();
    this.predictions = this.letters = 0;
    const follow = (topic: string, kind: string, take: (line: string) => void): Script =>
      startScript(python, 'read.py', { bootstrap, registry, topic, as: kind, follow: 'yes' }, take);
    this.#scripts = [
      follow(PREDICTIONS, 'predictions', line => {
        this.predictions++;
        this.scored.add((JSON.parse(line) as PredictionLine).eventId);
      }),
      ...LETTERS.map(topic =>
        follow(topic, 'letters', line => {
          this.letters++;
          const { sourceTopic, sourcePartition, sourceOffset } = JSON.parse(line) as LetterLine;
          this.aside.add(placeName(sourceTopic, sourcePartition, sourceOffset));
        }),
      ),
    ];
    for (const { ended } of this.#scripts) ended.catch((error: unknown) => this.#failure.reject(error));
  }

  /** Rejects when a reader fails. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  async stop(): Promise<void> {
    for (const script of this.#scripts) script.end();
    await Promise.all(this.#scripts.map(script => script.ended));
  }

  async close(): Promise<void> {
    for (const script of this.#scripts) script.kill();
    await Promise.allSettled(this.#scripts.map(script => script.ended));
  }
}
