/**
 * A stack on which nothing is open: brokers with TLS, SASL and an authorizer, a registry behind TLS and a password, and
 * PostgreSQL with TLS. Each service has a user of its own.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWorld, type World } from '@millrace/cli';
import type { Acl } from '@millrace/contracts';
import { startStack } from '@millrace/localstack';
import { kafkaBroker } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { kafkaTool } from '../chaos/rig/tools.ts';
import { entriesOf, type Passwords, SCRAM, secureBroker, type User, USERS } from './broker.ts';
import { newAuthority } from './certificates.ts';
import { secureDatabase } from './database.ts';
import { registryFront } from './registry.ts';

const REGISTRY_USER = 'millrace:a-password-of-the-registry';

export interface SecureWorld {
  /** Addresses of what is behind TLS. */
  readonly addresses: { readonly kafka: string; readonly registry: string; readonly postgres: string };
  readonly directory: string;
  /** What a process of this user has in its environment to get in. */
  environmentOf(user: User): Readonly<Record<string, string>>;
  /** Clients of this user. */
  openAs(user: User): World;
  /** For Kafka's own tools, as the administrator. */
  readonly commandConfig: string;
  grant(acls: readonly Acl[]): Promise<void>;
  revoke(acl: Acl): Promise<void>;
  /** Gives a user its credentials, or takes them away. */
  know(user: User, isKnown: boolean): Promise<void>;
  close(): Promise<void>;
}

const securityOf = (ca: string, user: User, password: string) => ({
  ssl: { ca },
  sasl: { mechanism: (SCRAM[user] ?? 'PLAIN').toLowerCase(), username: user, password },
});

const writeCommandConfig = (directory: string, ca: string, password: string): string => {
  const file = join(directory, 'command.properties');
  const lines = [
    'security.protocol=SASL_SSL',
    'sasl.mechanism=PLAIN',
    `sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="${password}";`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.location=${ca}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return file;
};

/** Uses the coordinator of transactions once: a broker that has just started does not have it ready. */
const warmUp = async (kafka: string, security: ReturnType<typeof securityOf>): Promise<void> => {
  const client = { clientId: 'warm-up', logger: noLogger, clock: systemClock };
  const broker = kafkaBroker({ bootstrapServers: kafka, ...security, ...client });
  await (await broker.transactionalProducer('warm-up')).close();
  await broker.close();
};

export const startSecureWorld = async (): Promise<SecureWorld> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-secure-'));
  // The user that PostgreSQL runs as must reach its data.
  chmodSync(directory, 0o755);
  const passwords = Object.fromEntries(
    USERS.map(user => [user, `${user}-${randomBytes(12).toString('hex')}`]),
  ) as Passwords;
  const authority = newAuthority(directory, 'authority');
  const own = authority.sign('server');
  const ca = readFileSync(authority.cert, 'utf8');
  const undo: (() => Promise<unknown>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const stack = await startStack({
      ways: ['jvm'],
      directory,
      environment: process.env,
      brokerSettings: secureBroker(authority, own, passwords),
      warmUp: kafka => warmUp(kafka, securityOf(ca, 'admin', passwords.admin)),
    });
    undo.push(() => stack.stop());
    const registry = await registryFront(stack.registry, own, REGISTRY_USER);
    undo.push(() => registry.close());
    await secureDatabase(stack.postgres, own);
    const admin = kafkaAdmin(stack.kafka, ca, passwords.admin);
    await admin.connect();
    undo.push(() => admin.disconnect());
    const addresses = { kafka: stack.kafka, registry: registry.url, postgres: stack.postgres };
    const commandConfig = writeCommandConfig(directory, authority.cert, passwords.admin);
    const configs = ['--bootstrap-server', stack.kafka, '--command-config', commandConfig];

    return {
      addresses,
      directory,
      commandConfig,
      environmentOf: user => ({
        KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
        KAFKA_SASL_MECHANISM: SCRAM[user] ?? 'PLAIN',
        KAFKA_SASL_USERNAME: user,
        KAFKA_SASL_PASSWORD: passwords[user],
        KAFKA_SSL_CA_LOCATION: authority.cert,
        SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO: REGISTRY_USER,
        SCHEMA_REGISTRY_SSL_CA_LOCATION: authority.cert,
        ...(user === 'sink' && { PGSSLMODE: 'verify-full', PGSSLROOTCERT: authority.cert }),
      }),
      openAs: user => {
        const [username, password] = REGISTRY_USER.split(':') as [string, string];
        const known = { url: registry.url, auth: { username, password }, tls: { ca } };
        const security = { kafka: securityOf(ca, user, passwords[user]), registry: known };
        return openWorld({ ...addresses, security });
      },
      grant: async acls => void (await admin.createAcls({ acl: acls.flatMap(entriesOf) })),
      revoke: async acl => void (await admin.deleteAcls({ filters: [...entriesOf(acl)] })),
      know: async (user, isKnown) => {
        const mechanism = SCRAM[user]!;
        const change = isKnown
          ? ['--add-config', `${mechanism}=[iterations=4096,password=${passwords[user]}]`]
          : ['--delete-config', mechanism];
        const on = ['--alter', '--entity-type', 'users', '--entity-name', user];
        await kafkaTool('kafka.admin.ConfigCommand', [...configs, ...on, ...change]);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

const kafkaAdmin = (brokers: string, ca: string, password: string): Admin =>
  new Kafka({
    brokers: brokers.split(','),
    clientId: 'admin',
    logLevel: logLevel.NOTHING,
    ssl: { ca },
    sasl: { mechanism: 'plain', username: 'admin', password },
  }).admin();
