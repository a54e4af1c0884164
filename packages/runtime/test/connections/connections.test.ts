import { expect, test } from '@jest/globals';
import {
  type ConfigError, configPrint, databaseConnection, databaseFields, kafkaConnection, kafkaFields, readConfig, registryConnection,
  registryFields,
} from '../../src/index.ts'; // prettier-ignore

const spec = { ...kafkaFields, ...registryFields, ...databaseFields } as const;
const NEEDED = {
  KAFKA_BOOTSTRAP_SERVERS: 'k1:9093,k2:9093',
  SCHEMA_REGISTRY_URL: 'https://registry.example',
  DATABASE_URL: 'postgres://u@db/millrace',
};
const FILES: Readonly<Record<string, string>> = {
  'ca.pem': '-----BEGIN CERTIFICATE-----\nsigner',
  'own.pem': '-----BEGIN CERTIFICATE-----\nown',
  'own.key': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nkey',
  'password.txt': 'from-a-file\n',
};
const readText = (path: string): string => {
  if (FILES[path] === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
  return FILES[path];
};
const read = (env: Readonly<Record<string, string>>) =>
  readConfig(spec, { env: { ...NEEDED, ...env }, readText });
const mistakesOf = (env: Readonly<Record<string, string>>): readonly string[] => {
  try {
    read(env);
  } catch (error) {
    return (error as ConfigError).mistakes;
  }
  return [];
};

const SECURE = {
  KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
  KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  KAFKA_SASL_USERNAME: 'feature',
  KAFKA_SASL_PASSWORD_FILE: 'password.txt',
  KAFKA_SSL_CA_LOCATION: 'ca.pem',
  KAFKA_SSL_CERTIFICATE_LOCATION: 'own.pem',
  KAFKA_SSL_KEY_LOCATION: 'own.key',
  KAFKA_SSL_KEY_PASSWORD: 'opens-the-key',
};

test('without settings Kafka is spoken to in the clear', () => {
  expect(kafkaConnection(read({}))).toEqual({ bootstrapServers: ['k1:9093', 'k2:9093'], bytes: 'own' });
});

test('Kafka: whose code reads and writes record batches', () => {
  expect(kafkaConnection(read({ MILLRACE_KAFKA_BYTES: 'stock' })).bytes).toBe('stock');
  expect(kafkaConnection(read({ MILLRACE_KAFKA_BYTES: 'own' })).bytes).toBe('own');
  for (const wrong of ['Stock', 'kafkajs', 'true']) {
    const mistakes = mistakesOf({ MILLRACE_KAFKA_BYTES: wrong });
    expect(mistakes).toEqual([
      expect.stringMatching(/^MILLRACE_KAFKA_BYTES must be one of own, stock \(Whose code/),
    ]);
  }
});

test('Kafka: TLS with certificates and SASL, the password from a file', () => {
  expect(kafkaConnection(read(SECURE))).toEqual({
    bootstrapServers: ['k1:9093', 'k2:9093'],
    bytes: 'own',
    ssl: {
      ca: FILES['ca.pem'],
      cert: FILES['own.pem'],
      key: FILES['own.key'],
      passphrase: 'opens-the-key',
    },
    sasl: { mechanism: 'scram-sha-512', username: 'feature', password: 'from-a-file' },
  });
  // The system's certificates.
  expect(kafkaConnection(read({ KAFKA_SECURITY_PROTOCOL: 'SSL' })).ssl).toEqual({});
});

test('the settings are shown without secrets, and files by their paths', () => {
  const user = { SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO: 'u:hunter2', PGPASSWORD: 'hunter2' };
  const shown = JSON.stringify(
    configPrint(spec, read({ ...SECURE, ...user, DATABASE_URL: 'postgres://u:hunter2@db/m' })),
  );
  expect(shown).toContain('ca.pem');
  for (const secret of ['hunter2', 'from-a-file', 'opens-the-key', 'BEGIN'])
    expect(shown).not.toContain(secret);
});

test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
  [
    'SASL without its settings',
    { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' },
    ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'],
  ],
  [
    'a password that would not be used',
    { KAFKA_SASL_PASSWORD: 'hunter2', KAFKA_SSL_CA_LOCATION: 'ca.pem' },
    ['KAFKA_SASL_PASSWORD is set, but', 'KAFKA_SSL_CA_LOCATION is set, but'],
  ],
  [
    'a certificate without its key',
    { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CERTIFICATE_LOCATION: 'own.pem' },
    ['KAFKA_SSL_KEY_LOCATION must be set too'],
  ],
  [
    'files that are absent, or hold something else',
    { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CA_LOCATION: 'no.pem', PGSSLROOTCERT: 'own.key' },
    ['ENOENT', 'PGSSLROOTCERT must be a file in PEM format'],
  ],
  [
    'two ways into the registry',
    { SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO: 'hunter2', SCHEMA_REGISTRY_BEARER_AUTH_TOKEN: 'hunter2' },
    ['must be user:password', 'set one of'],
  ],
  [
    'certificates for a registry in the clear',
    { SCHEMA_REGISTRY_URL: 'http://r', SCHEMA_REGISTRY_SSL_CA_LOCATION: 'ca.pem' },
    ['is not https'],
  ],
  [
    'a database that could be talked out of TLS',
    { DATABASE_URL: 'postgres://db/m?sslmode=prefer&sslrootcert=x' },
    ['must be one of disable, require, verify-ca, verify-full', 'set PGSSLROOTCERT'],
  ],
  ['certificates for a database in the clear', { PGSSLROOTCERT: 'ca.pem' }, ['set verify-full']],
  ['nothing to verify with', { PGSSLMODE: 'verify-ca' }, ['PGSSLROOTCERT must be set']],
])('%s: every mistake at once, none with a value', (_, env, wanted) => {
  const mistakes = mistakesOf(env);
  expect(mistakes.length).toBe(wanted.length);
  for (const [i, words] of wanted.entries()) expect(mistakes[i]).toContain(words);
  expect(mistakes.join()).not.toContain('hunter2');
});

test('mistakes of several connections are reported together', () => {
  const env = { KAFKA_SASL_PASSWORD: 'x', SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO: 'x', PGSSLCERT: 'own.pem' };
  expect(mistakesOf(env).length).toBe(4);
});

test('the user of the registry may stand in its address, and is taken out of it', () => {
  const url = 'https://me:p%40ss@registry.example/apis';
  expect(registryConnection(read({ SCHEMA_REGISTRY_URL: url }))).toEqual({
    url: 'https://registry.example/apis',
    auth: { username: 'me', password: 'p@ss' },
  });
  expect(registryConnection(read({ SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO: 'me:a:b' })).auth).toEqual({
    username: 'me',
    password: 'a:b',
  });
  expect(
    registryConnection(
      read({ SCHEMA_REGISTRY_BEARER_AUTH_TOKEN: 't', SCHEMA_REGISTRY_SSL_CA_LOCATION: 'ca.pem' }),
    ),
  ).toMatchObject({ auth: { token: 't' }, tls: { ca: FILES['ca.pem'] } });
});

test('PostgreSQL: modes as in libpq, from the address or beside it', () => {
  const tlsOf = (env: Readonly<Record<string, string>>) => databaseConnection(read(env)).tls;
  expect(tlsOf({})).toBeUndefined();
  expect(tlsOf({ PGSSLMODE: 'require' })).toEqual({ rejectUnauthorized: false });
  const ca = { PGSSLROOTCERT: 'ca.pem' };
  expect(tlsOf({ ...ca, PGSSLMODE: 'verify-full' })).toEqual({ ca: FILES['ca.pem'] });
  for (const mode of ['require', 'verify-ca'])
    expect(tlsOf({ ...ca, PGSSLMODE: mode })).toEqual({
      ca: FILES['ca.pem'],
      checkServerIdentity: expect.any(Function),
    });
  const found = databaseConnection(
    read({ DATABASE_URL: 'postgres://u@db/m?sslmode=verify-full', PGPASSWORD: 'p' }),
  );
  expect(found).toEqual({ url: 'postgres://u@db/m', password: 'p', tls: {} });
});
