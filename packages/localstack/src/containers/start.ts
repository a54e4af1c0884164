import type { Running } from '../running.ts';
import type { Plan } from '../stack.ts';
import { LOCK } from '../cache/lock.ts';
import { requireCompatibility } from '../registry/start.ts';

/** A placeholder until written below. */
export async function startContainers(plan: Plan, running: Running): Promise<void> {
  void LOCK;
  void requireCompatibility;
  void running;
  throw new Error(`containers cannot be had yet for ${plan.parts.join(', ')}`);
}
