/** The menu of faults, each of which begins and ends by itself. */
import { cpSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import type { Rule } from './proxy/proxy.ts';
import type { Api } from './proxy/frames.ts';
import { Balloon } from './rig/disk.ts';
import type { Member, ServiceName } from './rig/fleet.ts';
import { COORDINATORS, moveLeaders, type Partitions } from './rig/leaders.ts';
import { ledBy } from './rig/owners.ts';
import type { Scene } from './scene.ts';
import { endMember } from './takeOver.ts';

const READY_S_MAX = 60;

const brokerName = (index: number): string => `kafka-${index + 1}`;
const anyBroker = (scene: Scene): number => Math.floor(scene.random() * scene.rig.brokers.length);

const signalBroker = ({ rig }: Scene, index: number, signal: NodeJS.Signals): void => {
  process.kill(rig.stack.pids[brokerName(index)]!, signal);
};

const anyMember = async (scene: Scene, service?: ServiceName): Promise<Member> => {
  const { fleet } = scene.rig;
  await scene.until(() => fleet.awake(service).length > 0, READY_S_MAX);
  return scene.pick(fleet.awake(service));
};

export const killService = async (scene: Scene, service?: ServiceName): Promise<void> => {
  const member = await anyMember(scene, service);
  await endMember(scene, member, 'kill -9', () => scene.rig.fleet.kill(member));
};

/** A zombie: it sleeps through its session and then goes on as if nothing had been. */
export const stopService = async (scene: Scene, seconds: number, service?: ServiceName): Promise<void> => {
  const { fleet } = scene.rig;
  const member = await anyMember(scene, service);
  const stopped = async (): Promise<void> => {
    fleet.stop(member);
    await scene.wait(seconds);
    fleet.resume(member);
  };
  await scene.fault(`${member.name}: SIGSTOP for ${seconds.toFixed(0)} s`, stopped, {
    counts: 'from-beginning',
  });
};

/** Asked to end, and started again by the supervisor. */
export const terminateService = async (scene: Scene, service?: ServiceName): Promise<void> => {
  const member = await anyMember(scene, service);
  await endMember(scene, member, 'SIGTERM', () => scene.rig.fleet.terminate(member));
};

export const killBroker = async (
  scene: Scene,
  downSeconds: number,
  index = anyBroker(scene),
): Promise<void> => {
  const name = brokerName(index);
  await scene.fault(`${name}: kill -9, back after ${downSeconds.toFixed(0)} s`, async () => {
    signalBroker(scene, index, 'SIGKILL');
    await scene.wait(downSeconds);
    await scene.rig.stack.revive(name);
  });
};

/** Ends in good order and comes back. */
export const rollBroker = async (scene: Scene, index = anyBroker(scene)): Promise<void> => {
  const name = brokerName(index);
  await scene.fault(`${name}: SIGTERM and start`, async () => {
    signalBroker(scene, index, 'SIGTERM');
    await scene.rig.stack.revive(name);
  });
};

/** It hangs without dying. Of three, the others take over what it leads while it does. */
export const stopBroker = async (scene: Scene, seconds: number, index = anyBroker(scene)): Promise<void> => {
  const { its, others } = await ledBy(scene.rig, index + 1);
  const stopped = async (): Promise<void> => {
    signalBroker(scene, index, 'SIGSTOP');
    try {
      await scene.wait(seconds);
    } finally {
      signalBroker(scene, index, 'SIGCONT');
    }
  };
  await scene.fault(`${brokerName(index)}: SIGSTOP for ${seconds.toFixed(0)} s`, stopped, {
    counts: scene.rig.brokers.length === 1 ? 'from-end' : 'from-beginning',
    watched: [
      { name: 'a broker that hangs, partitions that it leads', partitions: its },
      { name: 'a broker that hangs, partitions of the others', partitions: others },
    ],
  });
};

export const allBrokersAway = async (scene: Scene, seconds: number): Promise<void> => {
  const indices = scene.rig.brokers.map((_, i) => i);
  await scene.fault(`every broker: kill -9, back after ${seconds.toFixed(0)} s`, async () => {
    for (const index of indices) signalBroker(scene, index, 'SIGKILL');
    await scene.wait(seconds);
    await Promise.all(indices.map(index => scene.rig.stack.revive(brokerName(index))));
  });
};

export const slowNetwork = async (scene: Scene, latencyMs: number, seconds: number): Promise<void> => {
  await scene.fault(`brokers: ${latencyMs} ms slower each way for ${seconds.toFixed(0)} s`, async () => {
    for (const proxy of scene.rig.brokers) proxy.latencyMs = latencyMs;
    await scene.wait(seconds);
    for (const proxy of scene.rig.brokers) proxy.latencyMs = 0;
  });
};

export const resets = async (scene: Scene, share: number, seconds: number): Promise<void> => {
  await scene.fault(`brokers: ${share * 100} % of connections reset each half second for ${seconds.toFixed(0)} s`, async () => {
    for (let left = seconds; left > 0; left -= 0.5) {
      for (const proxy of scene.rig.brokers) proxy.reset(() => scene.random() < share);
      await scene.wait(0.5);
    }
  }); // prettier-ignore
};

/** Half-open: connections stand, and nothing comes through. */
export const hold = async (scene: Scene, seconds: number): Promise<void> => {
  const proxy = scene.pick(scene.rig.brokers);
  await scene.fault(`${proxy.name}: half-open for ${seconds.toFixed(0)} s`, async () => {
    proxy.mode = 'hold';
    await scene.wait(seconds);
    proxy.mode = 'pass';
  });
};

/** The next responses or requests of a kind are lost, cut in the midst, or late. */
export const onFrames = async (
  scene: Scene,
  how: Rule['how'],
  count: number,
  api?: Api,
  lateMs?: number,
): Promise<void> => {
  const what = `${api ?? 'any'} ${how === 'late' ? `request ${(lateMs ?? 0) / 1000} s late` : `response: ${how}`}`;
  await scene.fault(`brokers: ${what}, ${count} times`, () => {
    for (const proxy of scene.rig.brokers)
      proxy.rule({
        how,
        count: Math.ceil(count / scene.rig.brokers.length),
        ...(api === undefined ? {} : { api }),
        ...(lateMs === undefined ? {} : { lateMs }),
      });
  });
};

/** Every response of a kind is lost for a while: requests are carried out, and nobody hears of it. */
export const noAnswers = async (scene: Scene, api: Api, seconds: number): Promise<void> => {
  await scene.fault(`brokers: no answer to ${api} for ${seconds} s`, async () => {
    for (const proxy of scene.rig.brokers) proxy.rule({ how: 'lose', api, count: Number.POSITIVE_INFINITY });
    await scene.wait(seconds);
    for (const proxy of scene.rig.brokers) proxy.heal();
  });
};

const DATA: readonly Partitions[] = catalogue([fraud]).map(({ name: topic, partitions }) => ({
  topic,
  partitions,
}));

/** Every partition gets another leader, with nothing else happening: of the data, or of the coordinators' own topics. */
export const newLeaders = async (scene: Scene, of: 'data' | 'coordinators', turn: number): Promise<void> => {
  await scene.fault(`new leaders for ${of}`, () =>
    moveLeaders(scene.rig, of === 'data' ? DATA : COORDINATORS, turn),
  );
};

export const databaseAway = async (scene: Scene, seconds: number): Promise<void> => {
  await scene.fault(`database: kill -9, back after ${seconds.toFixed(0)} s`, async () => {
    process.kill(scene.rig.stack.pids['postgres']!, 'SIGKILL');
    await scene.wait(seconds);
    await scene.rig.stack.revive('postgres');
  });
};

export const databaseHeld = async (scene: Scene, seconds: number): Promise<void> => {
  const { database } = scene.rig;
  await scene.fault(`database: half-open for ${seconds.toFixed(0)} s, then reset`, async () => {
    database.mode = 'hold';
    await scene.wait(seconds);
    database.mode = 'pass';
    database.reset();
  });
};

const SILENT_S_MAX = 420;

/** Half-open until something has come to pass. */
export const databaseSilent = async (scene: Scene, until: () => boolean): Promise<void> => {
  const { database } = scene.rig;
  await scene.fault('database: half-open for long, then reset', async () => {
    database.mode = 'hold';
    if (!(await scene.until(until, SILENT_S_MAX)))
      scene.complaints.push('the load was too slow to be held up');
    database.mode = 'pass';
    database.reset();
  });
};

export const registryAway = async (scene: Scene, seconds: number): Promise<void> => {
  const { registry } = scene.rig;
  await scene.fault(`registry: unreachable for ${seconds.toFixed(0)} s`, async () => {
    registry.mode = 'refuse';
    registry.reset();
    await scene.wait(seconds);
    registry.mode = 'pass';
  });
};

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A broker ends when it cannot write, and so may PostgreSQL: a supervisor starts them again, which ours does here. */
const reviveTheDead = async ({ rig, say }: Scene): Promise<void> => {
  for (const [name, pid] of Object.entries(rig.stack.pids)) {
    if (lives(pid)) continue;
    say(`  ${name} has ended, and is started again`);
    await rig.stack.revive(name);
  }
};

const full = async (scene: Scene, directory: string, seconds: number): Promise<void> => {
  const balloon = new Balloon(directory);
  try {
    for (let left = seconds; left > 0; left -= 0.25) {
      balloon.blow();
      await scene.wait(0.25);
    }
  } finally {
    balloon.burst();
  }
  // One that is on its way down needs a moment to end.
  for (let i = 0; i < 5; i++) {
    await reviveTheDead(scene);
    await scene.wait(2);
  }
};

/** Under the log of the broker, the database, the state on disk and the logs of all of them. */
export const diskFull = (scene: Scene, seconds: number): Promise<void> =>
  scene.fault(`disk: full for ${seconds.toFixed(0)} s`, () => full(scene, scene.rig.directory, seconds));

/** A broker's data move to another file system, while it is down; what an earlier run has left there is removed. */
export const moveData = async (scene: Scene, index: number, to: string): Promise<void> => {
  const { stack, directory } = scene.rig;
  const name = brokerName(index);
  await scene.fault(`${name}: SIGTERM, and started with its data on a small disk`, async () => {
    const from = join(directory, 'throwaway', 'kafka', `broker-${index + 1}`);
    const pid = stack.pids[name]!;
    signalBroker(scene, index, 'SIGTERM');
    await scene.until(() => !lives(pid), READY_S_MAX);
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true });
    rmSync(from, { recursive: true });
    symlinkSync(to, from);
    await stack.revive(name);
  });
};

/** Under the log of one broker, and of nobody else. */
export const brokerDiskFull = (
  scene: Scene,
  index: number,
  directory: string,
  seconds: number,
): Promise<void> =>
  scene.fault(`${brokerName(index)}: its disk is full for ${seconds.toFixed(0)} s`, () =>
    full(scene, directory, seconds),
  );
