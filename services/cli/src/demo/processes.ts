import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Stack, startStack, type Way } from '@millrace/localstack';
import { fraud } from '@millrace/pipelines';
import { systemClock } from '@millrace/telemetry';
import type { Io } from '../io.ts';
import { writeKept } from '../world/kept.ts';
import { FIRST_MODEL_VERSION } from '../world/models.ts';
import { openWorld, warmUp } from '../world/open.ts';
import { securityOf } from '../world/security.ts';
import { prepare, type World } from '../world/prepare.ts';
import { type Services, startServices } from '../world/services.ts';
import type { DemoWorld } from './world.ts';

export interface ProcessesOptions {
  readonly way: Way;
  readonly directory: string;
  readonly keep: boolean;
}

const startWorld = async (io: Io, { way, directory, keep }: ProcessesOptions): Promise<Stack> => {
  const startedAt = systemClock.now();
  const stack = await startStack({
    ways: [way],
    directory,
    keep,
    environment: io.environment,
    warmUp,
    writeArchive: !keep,
    onProgress: line => io.say(`  ${line}`),
  });
  io.say(
    `Kafka ${stack.kafka}, registry and PostgreSQL are up (${way}, ${((systemClock.now() - startedAt) / 1000).toFixed(1)} s).`,
  );
  return stack;
};

const hintsOf = (stack: Stack, services: Services, keep: boolean): string[] =>
  keep
    ? [
        `Rows: psql '${stack.postgres}' -c 'SELECT * FROM millrace.answers LIMIT 5'`,
        `By event id: http://127.0.0.1:${services.port('sink')}/v1/fraud/predictions/EVENT_ID`,
        'Everything is left running: millrace status, millrace tail predictions, millrace down.',
      ]
    : [
        'Rows were in PostgreSQL, table millrace.predictions. With --keep everything is left running to look at.',
      ];

/** The stack and the services, each a process of its own. */
export const startProcesses = async (io: Io, options: ProcessesOptions): Promise<DemoWorld> => {
  const { directory, keep } = options;
  const stack = await startWorld(io, options);
  const apiKey = randomBytes(24).toString('hex');
  const token = `millrace-services-${randomBytes(6).toString('hex')}`;
  let world: World | undefined;
  let services: Services | undefined;
  const end = async (leave: boolean): Promise<void> => {
    await world?.broker.close();
    if (leave) await services?.release();
    else {
      await services?.stop();
      await stack.stop();
      rmSync(join(directory, 'services.json'), { force: true });
    }
  };
  try {
    world = openWorld({ ...stack, security: securityOf(io, stack) });
    await prepare(world, [fraud], () => FIRST_MODEL_VERSION);
    io.say('Topics, schemas and the first control revision are in place.');
    services = await startServices({
      addresses: stack,
      directory,
      environment: { ...io.environment, MILLRACE_PIPELINES: fraud.name },
      clock: systemClock,
      signal: io.signal,
      apiKey,
      token,
      say: line => io.say(line),
    });
    io.say(
      `Services are ready: ${services
        .list()
        .map(s => `${s.name} (pid ${s.pid})`)
        .join(', ')}.`,
    );
    if (keep) writeKept(directory, { token, apiKey, services: services.list() });
  } catch (error) {
    await end(false);
    throw error;
  }
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const running = services;
  return {
    way: stack.way,
    world,
    ingest: url(running.port('ingest')),
    get sink() {
      return url(running.port('sink'));
    },
    apiKey,
    hints: hintsOf(stack, running, keep),
    end,
  };
};
