import { expect, test } from '@jest/globals';
import { unprivilegedUser } from '../../src/postgres/user.ts';

const ROOT = 'root:x:0:0:root:/root:/bin/bash';
const NOBODY = 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin';
const POSTGRES = 'postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash';

test('the user made for it comes first', () => {
  expect(unprivilegedUser([ROOT, NOBODY, POSTGRES].join('\n'))).toEqual({
    name: 'postgres',
    uid: 101,
    gid: 104,
  });
});

test('else the one that owns nothing', () => {
  expect(unprivilegedUser(`${ROOT}\n${NOBODY}\n`)).toEqual({ name: 'nobody', uid: 65534, gid: 65534 });
});

test('never root under another name, and nothing where there is nobody', () => {
  expect(unprivilegedUser(`${ROOT}\npostgres:x:0:0::/:/bin/sh\n`)).toBeUndefined();
  expect(unprivilegedUser(ROOT)).toBeUndefined();
});
