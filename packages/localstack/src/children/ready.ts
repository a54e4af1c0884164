import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './guard.ts';

const POLL_MS = 40;
const LOG_TAIL_LINES = 15;

/** Waits until `ready` says so. Rejects with the end of the log when the program ends first or the time is over. */
export async function untilReady(
  child: Child,
  ready: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  let endedWith: number | undefined;
  void child.ended.then(code => {
    endedWith = code;
  });
  while (!(await ready())) {
    if (endedWith !== undefined) throw new Error(await lastWords(child, `ended with code ${endedWith}`));
    if (performance.now() > end) {
      throw new Error(await lastWords(child, `was not ready after ${Math.round(timeoutMs / 1000)} s`));
    }
    await sleep(POLL_MS);
  }
}

/** True once the log holds the text. Only what was written after `fromByte` counts. */
export function logSays(logFile: string, text: string, fromByte = 0): () => Promise<boolean> {
  return async () => (await readFile(logFile)).subarray(fromByte).includes(text);
}

/** True once the address answers with 200. */
export function httpAnswers(url: string, timeoutMs: number): () => Promise<boolean> {
  return async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
      await response.arrayBuffer();
      return response.status === 200;
    } catch {
      // Nothing listens yet, or it is still starting.
      return false;
    }
  };
}

async function lastWords(child: Child, what: string): Promise<string> {
  const lines = (await readFile(child.logFile, 'utf8')).trimEnd().split('\n').slice(-LOG_TAIL_LINES);
  return `${child.name} ${what}; the end of ${child.logFile}:\n${lines.join('\n')}`;
}

const CONNECT_TIMEOUT_MS = 2_000;

/** Whether something accepts connections at the address: a URL, or `host:port`. False for an empty address. */
export function answers(address: string): Promise<boolean> {
  if (address === '') return Promise.resolve(false);
  const { hostname, port } = new URL(address.includes('://') ? address : `kafka://${address}`);
  return new Promise(resolve => {
    const socket = connect({ host: hostname, port: Number(port), timeout: CONNECT_TIMEOUT_MS });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}
