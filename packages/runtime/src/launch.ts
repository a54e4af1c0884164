import { fileURLToPath } from 'node:url';

/**
 * How the process of a service is started, wherever that is done: what has to be said before Node runs. Half of a loaded
 * service's memory was room for new objects that V8 had no need of, and pools of the C library for each of its threads.
 * Young objects are collected by the thread that made them: helpers that wait for each other took a tenth more CPU of
 * the feature service, and made it no faster. V8 lets a small heap grow to three times of what lives in it before it marks
 * again, which was most of what a feature service took; marking earlier it takes a fifth less. What Node has made of our
 * files once, it finds again: without that each process and each of its threads loads 12 MB to take the types out of them,
 * and starts later. `deploy/Dockerfile` says the same.
 */
export const SERVICE_START = {
  args: ['--max-semi-space-size=16', '--no-parallel-scavenge', '--heap-growing-percent=60'],
  environment: {
    MALLOC_ARENA_MAX: '2',
    NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../node_modules/.cache/millrace', import.meta.url)),
  },
} as const;
