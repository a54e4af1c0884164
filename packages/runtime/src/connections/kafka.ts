import { choiceField, type ConfigOf, listField, optional, secretField, textField } from '../config/field.ts';
import {
  certificates,
  named,
  ownCertificate,
  ownKey,
  pairMistakes,
  type Rule,
  tlsOf,
  together,
} from './tls.ts';

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

const KAFKA_SASL = {
  kafkaSaslMechanism: 'KAFKA_SASL_MECHANISM',
  kafkaSaslUsername: 'KAFKA_SASL_USERNAME',
  kafkaSaslPassword: 'KAFKA_SASL_PASSWORD',
};
const KAFKA_PAIR = {
  kafkaSslCertificateLocation: 'KAFKA_SSL_CERTIFICATE_LOCATION',
  kafkaSslKeyLocation: 'KAFKA_SSL_KEY_LOCATION',
};
const KAFKA_SSL = { kafkaSslCaLocation: 'KAFKA_SSL_CA_LOCATION', ...KAFKA_PAIR };

/** What is set for nothing is a mistake as well: who gives a password does not mean to connect without it. */
const kafkaMistakes: Rule = all => {
  const protocol = String(all['kafkaSecurityProtocol']);
  const [sasl, ssl] = [protocol.startsWith('SASL'), protocol.endsWith('SSL')];
  const missing = sasl ? named(all, KAFKA_SASL, false) : [];
  const idle = [...(sasl ? [] : named(all, KAFKA_SASL, true)), ...(ssl ? [] : named(all, KAFKA_SSL, true))];
  return [
    ...missing.map(name => `${name} must be set where KAFKA_SECURITY_PROTOCOL is ${protocol}`),
    ...idle.map(
      name =>
        `${name} is set, but KAFKA_SECURITY_PROTOCOL is ${protocol}, which does not use it: set the protocol`,
    ),
    ...pairMistakes(all, KAFKA_PAIR),
  ];
};

export const kafkaFields = {
  kafkaBootstrapServers: listField({
    env: 'KAFKA_BOOTSTRAP_SERVERS',
    help: 'Brokers to begin with, host:port.',
  }),
  kafkaSecurityProtocol: together(
    choiceField({
      env: 'KAFKA_SECURITY_PROTOCOL',
      help: 'How brokers are spoken to.',
      of: PROTOCOLS,
      fallback: 'PLAINTEXT',
    }),
    kafkaMistakes,
  ),
  kafkaSaslMechanism: optional(
    choiceField({ env: 'KAFKA_SASL_MECHANISM', help: 'How we prove who we are.', of: MECHANISMS }),
  ),
  kafkaSaslUsername: optional(textField({ env: 'KAFKA_SASL_USERNAME', help: 'Our name at the brokers.' })),
  kafkaSaslPassword: optional(
    secretField({ env: 'KAFKA_SASL_PASSWORD', help: 'Our password at the brokers.' }),
  ),
  kafkaSslCaLocation: certificates('KAFKA_SSL_CA_LOCATION', 'the brokers'),
  kafkaSslCertificateLocation: ownCertificate('KAFKA_SSL_CERTIFICATE_LOCATION'),
  kafkaSslKeyLocation: ownKey('KAFKA_SSL_KEY_LOCATION'),
  kafkaSslKeyPassword: optional(secretField({ env: 'KAFKA_SSL_KEY_PASSWORD', help: 'Password of our key.' })),
  kafkaBytes: choiceField({
    env: 'MILLRACE_KAFKA_BYTES',
    help: 'Whose code reads and writes record batches: own, or stock for that of kafkajs, which is slower.',
    of: ['own', 'stock'],
    fallback: 'own',
  }),
} as const;

/** What a Kafka client is opened with. */
export const kafkaConnection = (config: ConfigOf<typeof kafkaFields>) => {
  const {
    kafkaSecurityProtocol: protocol,
    kafkaSaslMechanism: mechanism,
    kafkaSslKeyPassword: passphrase,
  } = config;
  const tls = tlsOf(
    config.kafkaSslCaLocation,
    config.kafkaSslCertificateLocation,
    config.kafkaSslKeyLocation,
  );
  const [username, password] = [config.kafkaSaslUsername, config.kafkaSaslPassword];
  return {
    bootstrapServers: config.kafkaBootstrapServers,
    bytes: config.kafkaBytes,
    ...(protocol.endsWith('SSL') && { ssl: { ...tls, ...(passphrase !== undefined && { passphrase }) } }),
    ...(protocol.startsWith('SASL') &&
      mechanism && { sasl: { mechanism: mechanism.toLowerCase(), username, password } }),
  };
};
