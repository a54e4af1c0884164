import type { Component } from './component.ts';

/**
 * Whether work may be sent here. Not ready while a part is starting, while a part says why it is not, and from the
 * moment the process begins to drain.
 */
export class Readiness {
  readonly #parts = new Map<Component, boolean>();
  #draining = false;

  expect(parts: readonly Component[]): void {
    for (const part of parts) this.#parts.set(part, false);
  }

  started(part: Component): void {
    this.#parts.set(part, true);
  }

  drain(): void {
    this.#draining = true;
  }

  /** Reasons by part; empty when ready. */
  notReady(): Readonly<Record<string, string>> {
    if (this.#draining) return { process: 'draining' };
    const reasons: Record<string, string> = {};
    for (const [part, started] of this.#parts) {
      const told = part.notReady?.();
      const reason = started ? told : told === undefined ? 'starting' : `starting: ${told}`;
      if (reason !== undefined) reasons[part.name] = reason;
    }
    return reasons;
  }
}
