import { addPostgres } from './jvm.ts';
import type { Running } from './running.ts';
import type { Plan } from './stack.ts';

/** Takes the addresses that the environment gives; a PostgreSQL of our own where it gives none. Stops none of them. */
export async function startExternal(plan: Plan, running: Running): Promise<void> {
  running.kafka = plan.environment['KAFKA_BOOTSTRAP_SERVERS'] ?? '';
  running.registry = plan.environment['SCHEMA_REGISTRY_URL'] ?? '';
  running.postgres = plan.environment['DATABASE_URL'] ?? '';
  if (running.postgres === '' && plan.parts.includes('postgres')) await addPostgres(plan, running);
}
