/**
 * The real stack for tests. The `stack` project of jest starts one stack for all `*.stack.test.ts` files and hands its
 * addresses to the workers in the environment: MILLRACE_TEST_KAFKA, MILLRACE_TEST_REGISTRY, MILLRACE_TEST_POSTGRES, or,
 * where no stack can be had, the reasons in MILLRACE_TEST_NO_STACK. Tests share the stack: name topics, groups and
 * tables by `uniqueName`.
 */
import { describeUnless, testUnless } from './skip.ts';

export interface StackAddresses {
  /** Bootstrap addresses, `host:port,…`. */
  readonly kafka: string;
  /** Base of the Confluent-compatible API. */
  readonly registry: string;
  /** `postgres://…` */
  readonly postgres: string;
}

/** Why there is no stack; undefined where there is one. */
export const noStack = process.env['MILLRACE_TEST_NO_STACK'];

export const stackTest = testUnless(noStack);
export const describeStack = describeUnless(noStack);

/** Only inside tests that `stackTest` or `describeStack` let run. */
export function stackAddresses(): StackAddresses {
  return {
    kafka: addressOf('MILLRACE_TEST_KAFKA'),
    registry: addressOf('MILLRACE_TEST_REGISTRY'),
    postgres: addressOf('MILLRACE_TEST_POSTGRES'),
  };
}

let names = 0;

/** A name that no other test of this run and no earlier run on the same stack has used. */
export function uniqueName(prefix: string): string {
  names += 1;
  return `${prefix}-${process.pid.toString(36)}-${Date.now().toString(36)}-${names}`;
}

function addressOf(name: string): string {
  const address = process.env[name];
  if (!address) throw new Error(`${name} is not set: run stack tests through the jest project "stack"`);
  return address;
}
