import { choiceField, type ConfigOf, optional, secretField, urlField } from '../config/field.ts';
import {
  certificates, named, ownCertificate, ownKey, pairMistakes, type Rule, type TlsOptions, tlsOf, together,
} from './tls.ts'; // prettier-ignore

/** No `allow` and no `prefer`: whoever stands between could talk both out of TLS. */
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof SSL_MODES)[number];

const DATABASE_PAIR = { databaseSslCert: 'PGSSLCERT', databaseSslKey: 'PGSSLKEY' };

const sslModeIn = (url: string): string | undefined => new URL(url).searchParams.get('sslmode') ?? undefined;

const databaseMistakes: Rule = all => {
  const url = all['databaseUrl'];
  if (typeof url !== 'string') return [];
  const inUrl = sslModeIn(url);
  const mode = inUrl ?? all['databaseSslMode'] ?? 'disable';
  const unread = [...new URL(url).searchParams.keys()].filter(name => /^ssl(rootcert|cert|key)$/.test(name));
  const idle =
    mode === 'disable' ? named(all, { databaseSslRootCert: 'PGSSLROOTCERT', ...DATABASE_PAIR }, true) : [];
  return [
    ...(SSL_MODES.some(one => one === mode)
      ? []
      : [`sslmode in DATABASE_URL must be one of ${SSL_MODES.join(', ')}`]),
    ...unread.map(name => `${name} in DATABASE_URL is not read: set PG${name.toUpperCase()}`),
    ...idle.map(name => `${name} is set, but PGSSLMODE is disable: set verify-full`),
    ...(mode === 'verify-ca' && all['databaseSslRootCert'] === undefined
      ? ['PGSSLROOTCERT must be set where sslmode is verify-ca']
      : []),
    ...pairMistakes(all, DATABASE_PAIR),
  ];
};

export const databaseFields = {
  databaseUrl: together(
    urlField({ env: 'DATABASE_URL', help: 'PostgreSQL database.', schemes: ['postgres', 'postgresql'] }),
    databaseMistakes,
  ),
  databasePassword: optional(
    secretField({ env: 'PGPASSWORD', help: 'Password, where the address has none.' }),
  ),
  databaseSslMode: optional(
    choiceField({
      env: 'PGSSLMODE',
      help: 'Whether TLS is used, where the address has no sslmode; disable without it.',
      of: SSL_MODES,
    }),
  ),
  databaseSslRootCert: certificates('PGSSLROOTCERT', 'the database'),
  databaseSslCert: ownCertificate('PGSSLCERT'),
  databaseSslKey: ownKey('PGSSLKEY'),
} as const;

/** What libpq's modes ask of TLS. `require` alone takes any certificate; with certificates to trust it is `verify-ca`. */
const databaseTls = (mode: SslMode, tls: TlsOptions): TlsOptions => {
  if (mode === 'verify-full') return tls;
  return tls.ca === undefined
    ? { ...tls, rejectUnauthorized: false }
    : { ...tls, checkServerIdentity: () => undefined };
};

/** What a database client is opened with. */
export const databaseConnection = (config: ConfigOf<typeof databaseFields>) => {
  const url = new URL(config.databaseUrl);
  const mode = (sslModeIn(config.databaseUrl) ?? config.databaseSslMode ?? 'disable') as SslMode;
  const { databasePassword: password } = config;
  url.searchParams.delete('sslmode');
  const tls = tlsOf(config.databaseSslRootCert, config.databaseSslCert, config.databaseSslKey);
  return {
    url: url.href,
    ...(password !== undefined && url.password === '' && { password }),
    ...(mode !== 'disable' && { tls: databaseTls(mode, tls) }),
  };
};
