/**
 * What may be skipped where everything is to run (CI=true): nothing but what a machine of ours cannot bring about. A stack,
 * Java, Python with its packages, OpenSSL are not among it: whoever lacks one there has a broken machine, and would never know.
 */
interface Allowed {
  readonly reason: RegExp;
  readonly because: string;
}

export const ALLOWED_SKIPS: readonly Allowed[] = [
  {
    reason: /^no published data beside the repository$|^no \.\.\/shared\/data\//,
    because: 'published data has licences of its own, and lies beside a checkout of ours only',
  },
  {
    reason: /^no (promtool|prometheus): /,
    because: 'Prometheus is a server of another kind: neither a package nor part of the stack',
  },
  { reason: /^there is no \/dev\/full here$/, because: 'not every system has such a device' },
  {
    reason: /^no \/proc that lists the children of a process$/,
    because: 'not every system, and not every Linux, says so',
  },
  {
    reason: /^a stack that is not ours is not cut off$/,
    because: 'whoever hands in a stack keeps it whole: these tests run with ours',
  },
];

/** Skips that are not to be, each a sentence with its reason. @param skipped tests by reason */
export const forbiddenSkips = (skipped: Readonly<Record<string, number>>): readonly string[] =>
  Object.entries(skipped)
    .filter(([reason]) => !ALLOWED_SKIPS.some(allowed => allowed.reason.test(reason)))
    .map(([reason, tests]) => `${tests} skipped: ${reason}`);
