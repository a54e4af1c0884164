/** What a CPU profile of V8 says in a page: which rooms the time was spent in, and which functions. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './world/service.ts';

/** The part of a `.cpuprofile` file that is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  /** Node of each sample, and the time since the one before, microseconds. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Part {
  readonly name: string;
  /** Of the time that the thread was busy. */
  readonly share: number;
}

const IDLE = '(idle)';
const NATIVE: Readonly<Record<string, string>> = {
  '(garbage collector)': 'garbage collector, on this thread',
  '(program)': 'native code: kernel, sockets, engine, compiler',
};
const FUNCTIONS_MAX = 15;
/** Rooms with less are left out. */
const SHARE_MIN = 0.005;

/** `packages/avro`, `services/inference`, a dependency, or Node itself. */
const roomOf = (url: string, functionName: string): string => {
  const native = NATIVE[functionName];
  if (native !== undefined) return native;
  const dependency = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  if (dependency) return dependency[1]!;
  const path = url.replace(`file://${ROOT}/`, '');
  const ours = /^((?:packages|services)\/[^/]+)\//.exec(path);
  if (ours) return ours[1]!;
  if (url.startsWith('node:')) return 'Node';
  if (url.startsWith('wasm:')) return 'digests (WebAssembly)';
  return url === '' ? 'built into V8, and functions put together' : path;
};

const bySize = (sums: ReadonlyMap<string, number>, total: number): readonly Part[] =>
  [...sums].map(([name, us]) => ({ name, share: us / total })).toSorted((a, b) => b.share - a.share);

/** Self times by room and by function; what was idle is left out. */
export const partsOf = ({ nodes, samples, timeDeltas }: CpuProfile): { readonly rooms: readonly Part[]; readonly functions: readonly Part[] } => {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const [rooms, functions] = [new Map<string, number>(), new Map<string, number>()];
  const add = (sums: Map<string, number>, name: string, us: number): void => void sums.set(name, (sums.get(name) ?? 0) + us);
  let busyUs = 0;
  for (const [i, id] of samples.entries()) {
    const { functionName, url } = frames.get(id)!;
    if (functionName === IDLE) continue;
    const us = timeDeltas[i]!;
    busyUs += us;
    const room = roomOf(url, functionName);
    add(rooms, room, us);
    if (!(functionName in NATIVE)) add(functions, `${functionName || 'without a name'} (${room})`, us);
  }
  const large = bySize(rooms, busyUs).filter(({ share }) => share >= SHARE_MIN);
  return { rooms: large, functions: bySize(functions, busyUs).slice(0, FUNCTIONS_MAX) };
}; // prettier-ignore

const line = ({ name, share }: Part): string => `${(share * 100).toFixed(1).padStart(6)} %  ${name}`;

/** The longest profile of a folder, which is that of the last round's main thread, as lines; nothing where there is none. */
export const profileTable = (directory: string): readonly string[] => {
  const files = readdirSync(directory).filter(file => file.endsWith('.cpuprofile'));
  const profiles = files.map(file => JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile);
  const longest = profiles.toSorted((a, b) => b.samples.length - a.samples.length)[0];
  if (longest === undefined) return [];
  const { rooms, functions } = partsOf(longest);
  return [
    'busy time of the main thread by room:',
    ...rooms.map(line),
    'and by function:',
    ...functions.map(line),
  ];
};
