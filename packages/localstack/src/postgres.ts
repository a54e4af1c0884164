import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cacheFolder } from './cache/folder.ts';
import { startPostgresProcess } from './postgres/start.ts';
import { tokenFor } from './token.ts';

export interface PostgresDatabase {
  /** `postgres://…` */
  readonly url: string;
  /** Undefined where the environment gives the address of another's. */
  readonly pid: number | undefined;
  /** Stops it and removes its data; nothing where it is another's. Safe twice. */
  stop(): Promise<void>;
}

/**
 * A real PostgreSQL without the rest of the stack, for runs on the in-memory broker: it needs no Java and no engine.
 * DATABASE_URL in the environment is taken as it is. It ends with this process.
 */
export async function startPostgres(options: {
  /** Holds its data and its log; not to be shared with a stack that is running. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Promise<PostgresDatabase> {
  const { environment } = options;
  const given = environment['DATABASE_URL'];
  if (given) return { url: given, pid: undefined, stop: () => Promise.resolve() };
  const directory = resolve(options.directory);
  const logDirectory = join(directory, 'logs');
  await mkdir(logDirectory, { recursive: true });
  const { url, child, clean } = await startPostgresProcess({
    cache: cacheFolder(environment),
    dataDirectory: join(directory, 'throwaway', 'postgres'),
    data: 'throwaway',
    logDirectory,
    environment,
    token: tokenFor(directory),
  });
  const end = async () => {
    await child.stop();
    await clean();
  };
  let stopped: Promise<void> | undefined;
  return { url, pid: child.pid, stop: () => (stopped ??= end()) };
}
