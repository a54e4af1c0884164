import type { Child } from './children/guard.ts';

/** What a starting stack has so far, so that a failed start can end all of it. Addresses are empty until known. */
export class Running {
  kafka = '';
  registry = '';
  postgres = '';
  readonly children: Child[] = [];
  /** Run after the children have ended; such as the removal of their data. */
  readonly afterwards: (() => Promise<void>)[] = [];

  async stop(): Promise<void> {
    await Promise.all(this.children.map(child => child.stop()));
    for (const step of this.afterwards.splice(0).toReversed()) await step();
  }
}
