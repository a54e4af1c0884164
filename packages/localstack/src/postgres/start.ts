import { chown, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { exists, isReachableByOthers, ownFolder, preparedOnce } from '../cache/folder.ts';
import { type CommandOptions, mustRun } from '../children/command.ts';
import { type Child, startGuarded } from '../children/guard.ts';
import { freePorts } from '../children/ports.ts';
import { logSays, untilReady } from '../children/ready.ts';
import { postgresPrograms } from './binaries.ts';
import { unprivilegedUser, type User } from './user.ts';

export interface PostgresOptions {
  readonly cache: string;
  /** For root, the data may lie elsewhere: see `placeFor`. */
  readonly dataDirectory: string;
  /** `kept`: data of an earlier run is used again, and survives a crash of the machine. */
  readonly data: 'throwaway' | 'kept';
  readonly logDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly token: string;
}

export interface Postgres {
  /** `postgres://user@host:port/database`. It trusts whoever reaches the loopback interface. */
  readonly url: string;
  readonly child: Child;
  /** Removes throwaway data; only after the stop. */
  readonly clean: () => Promise<void>;
  /** Starts it again after its end, on its data and port. */
  readonly revive: () => Promise<Child>;
}

const ROLE = 'millrace';
const DATABASE = 'millrace';
const START_TIMEOUT_MS = 30_000;
const COMMAND_TIMEOUT_MS = 60_000;
const STOP_GRACE_S = 8;
const READY_LINE = 'database system is ready to accept connections';
const OPEN_TO_ALL = '/var/tmp';

/** Starts PostgreSQL on a free port of the loopback interface; resolves when it accepts connections. */
export async function startPostgresProcess(options: PostgresOptions): Promise<Postgres> {
  const user = await otherUserForRoot();
  const cache = await placeFor(user, options.cache);
  const dataDirectory = await placeFor(user, options.dataDirectory);
  const throwAway = async () => {
    if (options.data === 'throwaway') await rm(dataDirectory, { recursive: true, force: true });
  };
  await throwAway();
  const programs = await postgresPrograms(cache, options.environment);
  await provideData(programs, cache, dataDirectory, user, options.environment);
  const [port] = await freePorts(1);
  const command = join(programs, 'bin', 'postgres');
  const args = ['-D', dataDirectory, ...settings(port!, options.data)];
  const run = () => runServer(command, args, dataDirectory, user, options);
  return {
    url: `postgres://${ROLE}@127.0.0.1:${port}/${DATABASE}`,
    child: await run(),
    clean: throwAway,
    revive: run,
  };
}

/** Resolves when the server accepts connections. */
async function runServer(
  command: string,
  args: readonly string[],
  dataDirectory: string,
  user: User | undefined,
  options: PostgresOptions,
): Promise<Child> {
  const logFile = join(options.logDirectory, 'postgres.log');
  const logStart = (await exists(logFile)) ? (await stat(logFile)).size : 0;
  const child = await startGuarded({
    name: 'postgres',
    command,
    args,
    logFile,
    workingDirectory: dataDirectory,
    environment: options.environment,
    // The fast shutdown: it does not wait for clients.
    stopSignal: 'INT',
    stopGraceS: STOP_GRACE_S,
    token: options.token,
    ...(user ? { user: { uid: user.uid, gid: user.gid } } : {}),
  });
  try {
    await untilReady(child, logSays(logFile, READY_LINE, logStart), START_TIMEOUT_MS);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

function settings(port: number, data: PostgresOptions['data']): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 60,
    timezone: 'UTC',
    ...(data === 'throwaway' ? { fsync: 'off', full_page_writes: 'off' } : {}),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function otherUserForRoot(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const user = unprivilegedUser(await readFile('/etc/passwd', 'utf8'));
  if (!user)
    throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody to run it as');
  return user;
}

/**
 * The folder itself, if the user can reach it; else one under a place open to all, with a name that follows from the
 * folder's, so that it is found again.
 */
async function placeFor(user: User | undefined, folder: string): Promise<string> {
  if (!user || (await isReachableByOthers(dirname(folder)))) return folder;
  const base = await ownFolder(join(OPEN_TO_ALL, `millrace-${process.getuid?.()}`));
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  return join(base, hash);
}

/** Making a database takes seconds, so it is done once and then copied. */
async function provideData(
  programs: string,
  cache: string,
  dataDirectory: string,
  user: User | undefined,
  environment: PostgresOptions['environment'],
): Promise<void> {
  if (await exists(dataDirectory)) return;
  const options: CommandOptions = { environment, timeoutMs: COMMAND_TIMEOUT_MS };
  const name = `postgres-data-${user ? user.uid : 'own'}`;
  const template = await preparedOnce(join(cache, name), async into => {
    if (user) await chown(into, user.uid, user.gid);
    const asUser: CommandOptions = {
      ...options,
      workingDirectory: into,
      ...(user ? { user: { uid: user.uid, gid: user.gid } } : {}),
    };
    const data = join(into, 'data');
    const init = ['-D', data, '-U', ROLE, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
    await mustRun('initdb', join(programs, 'bin', 'initdb'), init, asUser);
    await mustRun(
      'creating the database',
      join(programs, 'bin', 'postgres'),
      ['--single', '-D', data, 'postgres'],
      {
        ...asUser,
        input: `CREATE DATABASE ${DATABASE};\n`,
      },
    );
  });
  await mkdir(dirname(dataDirectory), { recursive: true });
  await mustRun('copying the database', 'cp', ['-Rp', join(template, 'data'), dataDirectory], options);
}
