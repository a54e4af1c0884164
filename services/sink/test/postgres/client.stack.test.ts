import { afterEach, expect } from '@jest/globals';
import postgres, { type Sql } from 'postgres';
import { describeStack, stackAddresses, stackTest as test } from '../../../../test/jest/stack.ts';

// The client throws out of a timer where its server goes between a call and its sending, which ends the process
// (porsager/postgres#1208). patches/postgres@3.4.9.patch answers such a call with an error.
describeStack('the PostgreSQL client as we patched it', () => {
  let open: readonly Sql[] = [];
  const client = (max: number): Sql => {
    const sql = postgres(stackAddresses().postgres, { max, backoff: () => 0, onnotice: () => undefined });
    open = [...open, sql];
    return sql;
  };
  afterEach(async () => {
    await Promise.all(open.map(sql => sql.end({ timeout: 1 })));
    open = [];
  });
  const endBackend = (pid: number): Promise<unknown> => client(1)`SELECT pg_terminate_backend(${pid})`;

  test('a transaction whose server has gone is told so at each call, and the connection comes back', async () => {
    const sql = client(1);
    const told = sql.begin(async tx => {
      const [row] = await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
      await endBackend(row?.pid ?? 0);
      await expect(tx`SELECT 1`).rejects.toMatchObject({
        code: expect.stringMatching(/CONNECTION_CLOSED|57P01/),
      });
      await tx`SELECT 2`;
    });
    await expect(told).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    expect(await sql`SELECT 3 AS three`).toMatchObject([{ three: 3 }]);
  });

  test('what is left of a transaction that was cut off does not run among what its connection does next', async () => {
    const sql = client(1);
    let left: Promise<unknown> = Promise.resolve();
    const told = sql.begin(tx => {
      left = tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`.then(async ([row]) => {
        await endBackend(row?.pid ?? 0);
        await expect(told).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
        await sql`SELECT 1`; // The only connection there is serves again.
        await tx`SELECT 2`;
      });
      return left;
    });
    await expect(told).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await expect(left).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });
});
