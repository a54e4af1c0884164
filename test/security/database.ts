import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import type { Certificate } from './certificates.ts';

/** Switches TLS on in a running server. It writes the files itself, so that they are its own. */
export const secureDatabase = async (url: string, { cert, key }: Certificate): Promise<void> => {
  const sql = postgres(url, { max: 1 });
  try {
    const [row] = await sql<[{ folder: string }]>`SELECT current_setting('data_directory') AS folder`;
    for (const [name, file] of Object.entries({ cert, key })) {
      const lines = readFileSync(file, 'utf8').trim().split('\n');
      const values = lines.map((line, i) => `(${i}, '${line}')`).join(', ');
      // A key that others can read is refused.
      const program = `umask 077; cat > ${row.folder}/tls.${name}`;
      await sql.unsafe(
        `COPY (SELECT line FROM (VALUES ${values}) AS t(i, line) ORDER BY i) TO PROGRAM '${program}'`,
      );
      await sql.unsafe(`ALTER SYSTEM SET ssl_${name}_file = 'tls.${name}'`);
    }
    // Whoever comes over the network without TLS is sent away.
    await sql.unsafe(
      `COPY (VALUES ('hostssl all all all trust'), ('hostnossl all all all reject')) TO '${row.folder}/pg_hba.conf'`,
    );
    await sql.unsafe('ALTER SYSTEM SET ssl = on');
    await sql`SELECT pg_reload_conf()`;
  } finally {
    await sql.end();
  }
};
