/** How Kafka and the registry are spoken to: the settings that services have too. */
import { readFileSync } from 'node:fs';
import { ConfigError, flagOf, kafkaConnection, kafkaFields, readConfig, registryConnection, registryFields } from '@millrace/runtime'; // prettier-ignore
import { type Io, UsageError } from '../io.ts';

const SPEC = { ...kafkaFields, ...registryFields } as const;
const ADDRESSES: ReadonlySet<string> = new Set(['kafkaBootstrapServers', 'schemaRegistryUrl']);

/** The settings beside the addresses, each as a flag of a command. */
export const SECURITY_FLAGS: readonly {
  readonly name: string;
  readonly flag: string;
  readonly help: string;
}[] = Object.entries(SPEC)
  .filter(([name]) => !ADDRESSES.has(name))
  .map(([name, { env, help }]) => ({ name, flag: flagOf(name), help: `${help} (${env})` }));

export interface Security {
  readonly kafka: Partial<Omit<ReturnType<typeof kafkaConnection>, 'bootstrapServers'>>;
  readonly registry: ReturnType<typeof registryConnection>;
}

/**
 * Flags over environment over the file that the flag `--config` names.
 * @throws UsageError with every mistake
 */
export const securityOf = (
  io: Io,
  at: { readonly kafka: string; readonly registry: string },
  flags: Readonly<Record<string, unknown>> = {},
): Security => {
  const path = flags['config'];
  const given = SECURITY_FLAGS.flatMap(({ name, flag }) =>
    typeof flags[name] === 'string' ? [`${flag}=${flags[name]}`] : [],
  );
  try {
    const readText = (from: string): string => readFileSync(from, 'utf8');
    const config = readConfig(SPEC, {
      flags: [`--kafka-bootstrap-servers=${at.kafka}`, `--schema-registry-url=${at.registry}`, ...given],
      env: io.environment,
      readText,
      ...(typeof path === 'string' && { file: readText(path) }),
    });
    const { bootstrapServers: _, ...kafka } = kafkaConnection(config);
    return { kafka, registry: registryConnection(config) };
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(`${error.message}: ${error.mistakes.join('; ')}`);
    throw error;
  }
};
