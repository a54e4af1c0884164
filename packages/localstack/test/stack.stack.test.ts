import { expect } from '@jest/globals';
import { stackAddresses, stackTest } from '../../../test/jest/stack.ts';

stackTest('the shared stack has a registry that answers', async () => {
  const response = await fetch(`${stackAddresses().registry}/config`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ compatibilityLevel: 'BACKWARD' });
});
