import { describe, expect, test } from '@jest/globals';
import { BadRows, DatabaseAway, inOurWords } from '../../src/postgres/errors.ts';

const said = (code: unknown): unknown => Object.assign(new Error('what it says'), { code });

describe('what the database says, by what helps', () => {
  test.each([
    'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'CONNECT_TIMEOUT', 'CONNECTION_CLOSED', 'CONNECTION_DESTROYED',
    '53100', '53300', '57P01', '57P03', '57014', '58030', '08006', '40P01', '25006',
  ])('%s passes: it is waited for', code => {
    expect(inOurWords(said(code))).toBeInstanceOf(DatabaseAway);
  }); // prettier-ignore

  test.each(['22P05', '22003', '23502', '54000'])('%s is the fault of the rows', code => {
    expect(inOurWords(said(code))).toBeInstanceOf(BadRows);
  });

  test.each([
    ['28P01', 'PGPASSWORD'],
    ['CERT_HAS_EXPIRED', 'PGSSLROOTCERT'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'PGSSLROOTCERT'],
  ])('%s is for a person, who is told what to look at', (code, setting) => {
    const error = said(code);
    const told = inOurWords(error);
    expect(told).not.toBeInstanceOf(DatabaseAway);
    expect(told).toMatchObject({ message: expect.stringContaining(setting), cause: error });
  });

  test.each(['42P01', '42501', undefined, 7])('%s is for a person: waiting does not mend it', code => {
    const error = said(code);
    expect(inOurWords(error)).toBe(error);
  });

  test('an error of another realm is known by its fields; what is none is left as it is', () => {
    expect(inOurWords({ code: 'ECONNRESET' })).toBeInstanceOf(DatabaseAway);
    expect(inOurWords(undefined)).toBeUndefined();
    expect(inOurWords('a text')).toBe('a text');
  });
});
