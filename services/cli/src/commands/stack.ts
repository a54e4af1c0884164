import { stackStatus, stopStack } from '@millrace/localstack';
import type { Clock } from '@millrace/telemetry';
import { EXIT, type ExitCode, type Io, type OutputForm, table } from '../io.ts';
import { aliveServices, readKept, stopKept } from '../world/kept.ts';
import { readiness } from '../world/services.ts';

/** `millrace down`: stops what `up` or `demo --keep` left running. */
export const down = async (io: Io, directory: string, clock: Clock): Promise<ExitCode> => {
  const services = await stopKept(directory, clock);
  const stack = await stopStack(directory);
  io.say(
    services > 0 || stack
      ? `Stopped ${services} services${stack ? ' and the stack' : ''}.`
      : 'Nothing was running.',
  );
  return EXIT.done;
};

/** `millrace status`: addresses, pids, health. Exit code 1 where nothing runs, or something that should be ready is not. */
export const status = async (io: Io, directory: string, output: OutputForm): Promise<ExitCode> => {
  const stack = await stackStatus(directory);
  const kept = readKept(directory);
  const alive = kept === undefined ? [] : await aliveServices(kept);
  const services = await Promise.all(
    (kept?.services ?? []).map(async ({ name, pid, guardPid, port }) => ({
      name,
      pid,
      port,
      ready: alive.some(s => s.guardPid === guardPid) && (await readiness(port)).ready,
    })),
  );
  const ingest = services.find(s => s.name === 'ingest');
  const report = {
    kafka: stack?.kafka ?? null,
    registry: stack?.registry ?? null,
    postgres: stack?.postgres ?? null,
    ingest: ingest === undefined ? null : `http://127.0.0.1:${ingest.port}`,
    services,
    way: stack?.way ?? null,
    answers: stack?.answers ?? null,
    pids: stack?.pids ?? {},
  };
  if (output === 'json') io.out(JSON.stringify(report));
  else if (stack === undefined) io.out('Nothing is running here. Start it with: millrace up');
  else {
    const rows: (string | number)[][] = (['kafka', 'registry', 'postgres'] as const).map(part => [
      part,
      stack[part],
      stack.answers[part] ? 'answers' : 'DOES NOT ANSWER',
      Object.entries(stack.pids).find(([name]) => name.startsWith(part))?.[1] ?? '-',
    ]);
    for (const s of services)
      rows.push([s.name, `http://127.0.0.1:${s.port}`, s.ready ? 'ready' : 'NOT READY', s.pid]);
    for (const line of table(['PART', 'ADDRESS', 'STATE', 'PID'], rows)) io.out(line);
  }
  const healthy =
    stack !== undefined && Object.values(stack.answers).every(Boolean) && services.every(s => s.ready);
  return healthy ? EXIT.done : EXIT.failed;
};
