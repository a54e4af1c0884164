import { randomBytes } from 'node:crypto';
import { chooseWay, startStack } from '@millrace/localstack';
import { pipelines } from '@millrace/pipelines';
import { systemClock } from '@millrace/telemetry';
import { EXIT, type ExitCode, type Io, type OutputForm, UsageError } from '../io.ts';
import { findAddresses } from '../world/addresses.ts';
import { writeKept } from '../world/kept.ts';
import { FIRST_MODEL_VERSION } from '../world/models.ts';
import { openWorld, warmUp, withWorld } from '../world/open.ts';
import { securityOf } from '../world/security.ts';
import { prepare } from '../world/prepare.ts';
import { startServices } from '../world/services.ts';
import { status } from './stack.ts';

export interface UpOptions {
  readonly directory: string;
  readonly prepareOnly: boolean;
  readonly output: OutputForm;
}

/** Topics, schemas and first control entries on a stack that is there; what a deployment runs before its services. */
const prepareOnly = async (io: Io, options: UpOptions): Promise<ExitCode> => {
  await withWorld(await findAddresses(io, options), world =>
    prepare(world, pipelines, () => FIRST_MODEL_VERSION),
  );
  io.say('Topics, schemas and the first control entries are in place.');
  return EXIT.done;
};

/** `millrace up`: a stack and the services, left running. */
export const startUp = async (io: Io, options: UpOptions): Promise<ExitCode> => {
  if (options.prepareOnly) return prepareOnly(io, options);
  const { directory } = options;
  const { way, reasons } = await chooseWay(io.environment);
  if (way === undefined) throw new UsageError(`no stack can be had here: ${reasons.join('; ')}`);
  const say = (line: string): void => io.say(`  ${line}`);
  const stack = await startStack({
    ways: [way],
    directory,
    keep: true,
    environment: io.environment,
    warmUp,
    onProgress: say,
  });
  const world = openWorld({ ...stack, security: securityOf(io, stack) });
  try {
    await prepare(world, pipelines, () => FIRST_MODEL_VERSION);
    const apiKey = randomBytes(24).toString('hex');
    const token = `millrace-services-${randomBytes(6).toString('hex')}`;
    const common = { environment: io.environment, clock: systemClock, signal: io.signal, say };
    const services = await startServices({ addresses: stack, directory, apiKey, token, ...common });
    writeKept(directory, { token, apiKey, services: services.list() });
    await services.release();
  } catch (error) {
    await stack.stop();
    throw error;
  } finally {
    await world.broker.close();
  }
  io.say(`Ingest takes events with the key in ${directory}/services.json: authorization: Bearer KEY`);
  return status(io, directory, options.output);
};
