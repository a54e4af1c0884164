import { type ConfigOf, optional, secretField, urlField } from '../config/field.ts';
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

const REGISTRY_PAIR = {
  schemaRegistrySslCertificateLocation: 'SCHEMA_REGISTRY_SSL_CERTIFICATE_LOCATION',
  schemaRegistrySslKeyLocation: 'SCHEMA_REGISTRY_SSL_KEY_LOCATION',
};
const REGISTRY_SSL = {
  schemaRegistrySslCaLocation: 'SCHEMA_REGISTRY_SSL_CA_LOCATION',
  ...REGISTRY_PAIR,
};

const registryMistakes: Rule = all => {
  const url = all['schemaRegistryUrl'];
  if (typeof url !== 'string') return [];
  const { protocol, username } = new URL(url);
  const user = all['schemaRegistryBasicAuthUserInfo'];
  const ways = [username !== '', user !== undefined, all['schemaRegistryBearerAuthToken'] !== undefined];
  const idle = protocol === 'https:' ? [] : named(all, REGISTRY_SSL, true);
  return [
    ...(typeof user === 'string' && !user.includes(':')
      ? ['SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO must be user:password']
      : []),
    ...(ways.filter(Boolean).length > 1
      ? [
          'set one of SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO, SCHEMA_REGISTRY_BEARER_AUTH_TOKEN and a user in SCHEMA_REGISTRY_URL',
        ]
      : []),
    ...idle.map(name => `${name} is set, but SCHEMA_REGISTRY_URL is not https, which would use it`),
    ...pairMistakes(all, REGISTRY_PAIR),
  ];
};

export const registryFields = {
  schemaRegistryUrl: together(
    urlField({
      env: 'SCHEMA_REGISTRY_URL',
      help: 'Schema registry with the Confluent interface.',
      schemes: ['http', 'https'],
    }),
    registryMistakes,
  ),
  schemaRegistryBasicAuthUserInfo: optional(
    secretField({ env: 'SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO', help: 'user:password at the registry.' }),
  ),
  schemaRegistryBearerAuthToken: optional(
    secretField({ env: 'SCHEMA_REGISTRY_BEARER_AUTH_TOKEN', help: 'Token at the registry.' }),
  ),
  schemaRegistrySslCaLocation: certificates('SCHEMA_REGISTRY_SSL_CA_LOCATION', 'the registry'),
  schemaRegistrySslCertificateLocation: ownCertificate('SCHEMA_REGISTRY_SSL_CERTIFICATE_LOCATION'),
  schemaRegistrySslKeyLocation: ownKey('SCHEMA_REGISTRY_SSL_KEY_LOCATION'),
} as const;

/** What a registry client is opened with. The user within the address is taken out of it: it would stand in messages. */
export const registryConnection = (config: ConfigOf<typeof registryFields>) => {
  const url = new URL(config.schemaRegistryUrl);
  const { schemaRegistryBasicAuthUserInfo: user, schemaRegistryBearerAuthToken: token } = config;
  const split = user?.indexOf(':') ?? -1;
  const auth =
    token !== undefined
      ? { token }
      : user !== undefined
        ? { username: user.slice(0, split), password: user.slice(split + 1) }
        : url.username === ''
          ? undefined
          : { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  url.username = '';
  url.password = '';
  const tls = tlsOf(
    config.schemaRegistrySslCaLocation,
    config.schemaRegistrySslCertificateLocation,
    config.schemaRegistrySslKeyLocation,
  );
  return {
    url: url.href,
    ...(auth && { auth }),
    ...(url.protocol === 'https:' && Object.keys(tls).length > 0 && { tls }),
  };
};
