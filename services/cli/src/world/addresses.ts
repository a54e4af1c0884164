import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { stackStatus } from '@millrace/localstack';
import { type Io, UsageError } from '../io.ts';
import { type Security, securityOf } from './security.ts';

/** Where a running world is. */
export interface Addresses {
  readonly kafka: string; // host:port,...
  readonly registry: string;
  readonly postgres: string;
  /** How Kafka and the registry are spoken to; in the clear without it. */
  readonly security?: Security;
}

export interface AddressFlags {
  readonly bootstrapServer?: string | undefined;
  readonly registry?: string | undefined;
  readonly directory: string;
}

/** Folder of the stack that `millrace up` starts, unless `--directory` names another. */
export const defaultDirectory = (): string => join(tmpdir(), `millrace-${userInfo().uid}`);

/** Nothing says where a world is, and none was started here. */
export class NoBroker extends UsageError {}

/** Flags over environment over the stack that `millrace up` started. @throws UsageError with the remedy, `NoBroker` where there is nothing at all */
export const findAddresses = async (io: Io, flags: AddressFlags): Promise<Addresses> => {
  const found = await withoutSecurity(io, flags);
  return { ...found, security: securityOf(io, found, { ...flags }) };
};

const withoutSecurity = async (io: Io, flags: AddressFlags): Promise<Addresses> => {
  const { environment } = io;
  const kafka = flags.bootstrapServer ?? environment['KAFKA_BOOTSTRAP_SERVERS'];
  const registry = flags.registry ?? environment['SCHEMA_REGISTRY_URL'];
  if (kafka !== undefined && registry !== undefined)
    return { kafka, registry, postgres: environment['DATABASE_URL'] ?? '' };
  if (kafka !== undefined || registry !== undefined)
    throw new UsageError(
      'give both --bootstrap-server and --registry, or both KAFKA_BOOTSTRAP_SERVERS and SCHEMA_REGISTRY_URL',
    );
  const stack = await stackStatus(flags.directory);
  if (stack === undefined)
    throw new NoBroker(
      'no broker is known: start one with `millrace up`, or give KAFKA_BOOTSTRAP_SERVERS and SCHEMA_REGISTRY_URL',
    );
  return { kafka: stack.kafka, registry: stack.registry, postgres: stack.postgres };
};
