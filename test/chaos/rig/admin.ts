/** What an operator does with topics, through the product's own client. */
import { openWorld } from '@millrace/cli';
import type { Admin } from '@millrace/stream';
import type { Rig } from './rig.ts';

export const withAdmin = async <T>({ stack }: Pick<Rig, 'stack'>, use: (admin: Admin) => Promise<T>): Promise<T> => {
  const { broker } = openWorld(stack);
  try {
    return await use(broker.admin);
  } finally {
    await broker.close();
  }
}; // prettier-ignore
