import { join } from 'node:path';
import { LOCK } from '../cache/lock.ts';
import { type Child, startGuarded } from '../children/guard.ts';
import { freePorts } from '../children/ports.ts';
import { httpAnswers, untilReady } from '../children/ready.ts';
import { type JavaStart, javaFlags, keepingArchive } from '../java/flags.ts';

export interface RegistryOptions extends JavaStart {
  /** Folder of the unpacked registry. */
  readonly app: string;
  /** Where schemas and ids are kept over a restart; without it they live in memory. */
  readonly dataDirectory?: string;
  readonly logDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly token: string;
}

export interface Registry {
  /** Base of the Confluent-compatible API, without a slash at the end. */
  readonly url: string;
  readonly child: Child;
}

const HEAP = ['-Xms64m', '-Xmx384m'];
const START_TIMEOUT_MS = 90_000;
const STOP_GRACE_S = 5;
const ARCHIVE_GRACE_S = 40;
const REQUEST_TIMEOUT_MS = 5_000;

/** Starts Apicurio Registry; resolves when it answers and refuses incompatible schemas by default. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const [port] = await freePorts(1);
  const { flags, archive } = await javaFlags('registry', options);
  const { dataDirectory } = options;
  const child = await startGuarded({
    name: 'registry',
    command: options.java.command,
    args: [...HEAP, ...flags, '-jar', LOCK.registry.runner],
    logFile: join(options.logDirectory, 'registry.log'),
    workingDirectory: options.app,
    environment: {
      ...options.environment,
      QUARKUS_HTTP_HOST: '127.0.0.1',
      QUARKUS_HTTP_PORT: String(port),
      ...(dataDirectory
        ? { APICURIO_DATASOURCE_URL: `jdbc:h2:file:${join(dataDirectory, 'registry')}` }
        : {}),
    },
    stopSignal: 'TERM',
    stopGraceS: archive ? ARCHIVE_GRACE_S : STOP_GRACE_S,
    token: options.token,
  });
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  try {
    await untilReady(child, httpAnswers(`${url}/subjects`, REQUEST_TIMEOUT_MS), START_TIMEOUT_MS);
    await requireCompatibility(url);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { url, child: archive ? keepingArchive(child, archive) : child };
}

/** Its own default accepts any change of a schema. */
export async function requireCompatibility(url: string): Promise<void> {
  const response = await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"compatibility":"BACKWARD"}',
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  if (!response.ok) {
    throw new Error(`the registry refused its configuration: ${response.status} ${await response.text()}`);
  }
}
