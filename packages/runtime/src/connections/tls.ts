/**
 * What the connections to Kafka, the registry and PostgreSQL have in common. Their variables have the names that other
 * clients use: librdkafka's properties, Confluent's registry client, libpq.
 */
import { type Field, fileField, optional, type TextFile } from '../config/field.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

export type All = Readonly<Record<string, unknown>>;
export type Rule = (all: All) => readonly string[];
export const together = <T>(field: Field<T>, rule: Rule): Field<T> => ({ ...field, together: rule });

/** Names, by their variables, of those among the settings that are set, or not. */
export const named = (
  all: All,
  variables: Readonly<Record<string, string>>,
  set: boolean,
): readonly string[] =>
  Object.entries(variables)
    .filter(([name]) => (all[name] !== undefined) === set)
    .map(([, variable]) => variable);

export const pairMistakes = (all: All, variables: Readonly<Record<string, string>>): readonly string[] => {
  const [missing, there] = [named(all, variables, false), named(all, variables, true)];
  return missing.length > 0 && there.length > 0
    ? [`${missing.join(', ')} must be set too: a certificate and its key go together`]
    : [];
};

export const certificates = (env: string, of: string): Field<TextFile | undefined> =>
  optional(
    fileField({ env, help: `File with the certificates that sign that of ${of}, PEM.`, holds: CERTIFICATE }),
  );
export const ownCertificate = (env: string): Field<TextFile | undefined> =>
  optional(fileField({ env, help: 'File with our own certificate, PEM.', holds: CERTIFICATE }));
export const ownKey = (env: string): Field<TextFile | undefined> =>
  optional(fileField({ env, help: 'File with the key of our own certificate, PEM.', holds: PRIVATE_KEY }));

/** Options of `tls.connect`. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly rejectUnauthorized?: boolean;
  readonly checkServerIdentity?: () => undefined;
}

export const tlsOf = (
  ca: TextFile | undefined,
  cert: TextFile | undefined,
  key: TextFile | undefined,
): TlsOptions => ({
  ...(ca && { ca: ca.text }),
  ...(cert && { cert: cert.text }),
  ...(key && { key: key.text }),
});
