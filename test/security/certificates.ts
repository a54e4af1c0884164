/** Certificates for a test, made by openssl in its folder; none is ever kept. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why no certificates can be made here; undefined where they can. */
export const noOpenssl =
  spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is not installed';

export interface Certificate {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
  /** Key and certificate in one, as Kafka takes them. */
  readonly both: string;
}

export interface Authority extends Certificate {
  /** A certificate for the loopback address, or for another name, that is valid for a day, or has been until yesterday. */
  sign(name: string, options?: { readonly address?: string; readonly isExpired?: boolean }): Certificate;
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority that nobody knows, in this folder. */
export const newAuthority = (folder: string, name: string): Authority => {
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const at = (file: string): string => join(folder, file);
  const filesOf = (of: string): Certificate => {
    const [cert, key, both] = [at(`${of}.pem`), at(`${of}.key`), at(`${of}.both.pem`)];
    writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'), { mode: 0o600 });
    return { cert, key, both };
  };
  openssl('req', '-x509', ...EC, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), '-days', '2', '-subj', `/CN=${name}`);
  return {
    ...filesOf(name),
    sign: (of, { address = 'IP:127.0.0.1', isExpired = false } = {}) => {
      const request = at(`${of}.csr`);
      openssl('req', '-new', ...EC, '-keyout', at(`${of}.key`), '-out', request, '-subj', `/CN=${of}`, '-addext', `subjectAltName=${address}`);
      openssl(
        'x509', '-req', '-in', request, '-CA', at(`${name}.pem`), '-CAkey', at(`${name}.key`), '-copy_extensions', 'copy',
        '-days', isExpired ? '-1' : '1', '-out', at(`${of}.pem`),
      );
      return filesOf(of);
    },
  };
}; // prettier-ignore
