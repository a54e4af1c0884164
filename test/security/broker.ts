/** Settings of a broker on which nothing is open, and the users that it knows. */
import { type Acl, type ServiceName } from '@millrace/contracts';
import { type AclEntry, AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs'; // prettier-ignore
import type { Certificate } from './certificates.ts';

export type User = Exclude<ServiceName, 'producers'> | 'admin';
export const USERS: readonly User[] = ['admin', 'ingest', 'feature', 'inference', 'sink', 'cli'];
export type Passwords = Readonly<Record<User, string>>;

/** Their credentials are made on the running broker; the others it knows from its start, by the mechanism PLAIN. */
export const SCRAM: Readonly<Partial<Record<User, 'SCRAM-SHA-256' | 'SCRAM-SHA-512'>>> = {
  feature: 'SCRAM-SHA-512',
  inference: 'SCRAM-SHA-256',
  sink: 'SCRAM-SHA-512',
};

/** Connections have to prove themselves again after so long. */
const REAUTHENTICATION_MS = 15_000;
const MODULES = 'org.apache.kafka.common.security';
const LISTENER = 'listener.name.plaintext';

export const secureBroker = (
  authority: Certificate,
  own: Certificate,
  passwords: Passwords,
): Readonly<Record<string, string | number | boolean>> => {
  const known = USERS.filter(user => SCRAM[user] === undefined).map(
    user => `user_${user}="${passwords[user]}"`,
  );
  const itself = `username="admin" password="${passwords.admin}"`;
  const scram = `${MODULES}.scram.ScramLoginModule required ${itself};`;
  return {
    // The listener of the local stack keeps its name, and speaks TLS with SASL.
    'listener.security.protocol.map': 'PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    [`${LISTENER}.plain.sasl.jaas.config`]: `${MODULES}.plain.PlainLoginModule required ${itself} ${known.join(' ')};`,
    [`${LISTENER}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${LISTENER}.scram-sha-512.sasl.jaas.config`]: scram,
    'connections.max.reauth.ms': REAUTHENTICATION_MS,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': own.both,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.cert,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': false,
    // Anonymous is the broker itself at its controller, which listens in the clear.
    'super.users': 'User:admin;User:ANONYMOUS',
  };
};

const RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
} as const;
const OPERATIONS = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Describe: AclOperationTypes.DESCRIBE,
  Create: AclOperationTypes.CREATE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  AlterConfigs: AclOperationTypes.ALTER_CONFIGS,
} as const;

/** Rights as the admin client of kafkajs takes them. */
export const entriesOf = ({ service, resource, name, pattern, operations }: Acl): readonly AclEntry[] =>
  operations.map(operation => ({
    principal: `User:${service}`,
    host: '*',
    resourceType: RESOURCES[resource],
    resourceName: name,
    resourcePatternType: ResourcePatternTypes[pattern === 'prefixed' ? 'PREFIXED' : 'LITERAL'],
    operation: OPERATIONS[operation],
    permissionType: AclPermissionTypes.ALLOW,
  }));
