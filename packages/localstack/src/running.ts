import type { Child } from './children/guard.ts';

/** What a starting stack has so far, so that a failed start can end all of it. Addresses are empty until known. */
export class Running {
  kafka = '';
  registry = '';
  postgres = '';
  readonly children: Child[] = [];
  /** By name: starts a process that has ended again, on its data and ports. */
  readonly revivers = new Map<string, () => Promise<Child>>();
  /** Run after the children have ended; such as the removal of their data. */
  readonly afterwards: (() => Promise<void>)[] = [];

  async revive(name: string): Promise<void> {
    const reviver = this.revivers.get(name);
    const at = this.children.findIndex(child => child.name === name);
    if (reviver === undefined || at < 0) throw new Error(`${name} cannot be started again here`);
    await this.children[at]!.ended;
    this.children[at] = await reviver();
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map(child => child.stop()));
    for (const step of this.afterwards.splice(0).toReversed()) await step();
  }
}
