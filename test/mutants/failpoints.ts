import type { Mutant } from './mutant.ts';

/**
 * Not protections, but places where a process may die or stand still: with a small chance at each pass, so that a process
 * that was started again comes further. The protections must hold all the same.
 */
const DIE = "process.kill(process.pid, 'SIGKILL')";
const STAND_STILL = "process.kill(process.pid, 'SIGSTOP')";
const chance = (share: number, what: string): string => `if (Math.random() < ${share}) ${what};`;

const COURIER = 'packages/stream/src/processor/delivery.ts';
const TOGETHER = 'packages/stream/src/processor/together.ts';
const SHIPPING = 'packages/stream/src/processor/shipping.ts';

export const FAILPOINTS: readonly Mutant[] = [
  {
    name: 'dies-after-produce',
    shows: 'a process dies between its records and its offsets',
    file: TOGETHER,
    text: "      for (const { step } of taken) step('sent');",
    instead: `      for (const { step } of taken) step('sent');\n      ${chance(0.006, DIE)}`,
  },
  {
    name: 'dies-after-acknowledgement',
    shows:
      'at least once, a process dies between the acknowledgement of outputs and the commit of their offsets',
    file: SHIPPING,
    text: '    this.#sentMs += setting.clock.now() - startMs;',
    instead: `    this.#sentMs += setting.clock.now() - startMs;\n    ${chance(0.006, DIE)}`,
  },
  {
    name: 'dies-before-commit',
    shows: 'a process dies between its offsets and the commit',
    file: TOGETHER,
    text: '    await producer.commit();',
    instead: `    ${chance(0.006, DIE)}\n    await producer.commit();`,
  },
  {
    name: 'dies-after-commit',
    shows: 'a process dies between the commit and its own state',
    file: SHIPPING,
    text: '    await this.#state?.settle(cut.bookkeeping, () => this.#mark());',
    instead: `    ${chance(0.002, DIE)}\n    await this.#state?.settle(cut.bookkeeping, () => this.#mark());`,
  },
  {
    name: 'stands-still-before-commit',
    shows:
      'a process stands still between the proof of its membership and the commit: whoever follows must wait for its end, or fence it',
    file: TOGETHER,
    text: '    await producer.commit();',
    instead: `    ${chance(0.01, STAND_STILL)}\n    await producer.commit();`,
  },
  {
    name: 'stands-still-before-offsets',
    shows:
      'at least once, a process stands still between the acknowledgement of outputs and the commit of their offsets',
    file: COURIER,
    text: '      if (offsets.length > 0) await member.commit(offsets);',
    instead: `      ${chance(0.003, STAND_STILL)}\n      if (offsets.length > 0) await member.commit(offsets);`,
  },
  {
    name: 'stands-still-after-fencing',
    shows: 'a process stands still between fencing and reading what is committed',
    file: 'packages/stream/src/processor/acquire.ts',
    text: '  const courier = await openCourier(of);',
    instead: `  const courier = await openCourier(of);\n  ${chance(0.15, STAND_STILL)}`,
  },
  {
    name: 'dies-before-rows',
    shows: 'the sink dies between its offset and its rows',
    file: 'services/sink/src/postgres/database.ts',
    text: '    if (json === undefined) return;',
    instead: `    if (json === undefined) return;\n    ${chance(0.01, DIE)}`,
  },
  {
    name: 'fails-on-some',
    shows: "inference's own code fails on one event of four hundred",
    file: 'services/inference/src/lane.ts',
    text: '    if (batch.length === 0 || this.#signal.aborted) return Promise.resolve();',
    instead: `    if (batch.length === 0 || this.#signal.aborted) return Promise.resolve();
    for (let i = 0; i < batch.length; i++) {
      const value = batch.value(i);
      if (value !== null && 'sequence' in value && value.sequence % 400 === 399) throw new TypeError('a defect of the code');
    }`,
  },
  {
    name: 'never-answers',
    shows: 'a call of the model never comes back, now and then',
    file: 'services/inference/src/ask.ts',
    text: '    return await askModel(given, serving, question, null);',
    instead: `    ${chance(0.003, 'await new Promise(() => undefined)')}\n    return await askModel(given, serving, question, null);`,
  },
  {
    name: 'answers-slowly',
    shows: 'a model takes 300 ms for each call',
    file: 'services/inference/src/ask.ts',
    text: '    return await askModel(given, serving, question, null);',
    instead:
      '    await new Promise(resolve => setTimeout(resolve, 300));\n    return await askModel(given, serving, question, null);',
  },
  {
    name: 'handles-for-too-long',
    shows: 'a handler takes longer than a rebalance may, now and then',
    file: 'services/inference/src/ask.ts',
    text: '    return await askModel(given, serving, question, null);',
    instead: `    ${chance(0.002, 'await new Promise(resolve => setTimeout(resolve, 45_000))')}\n    return await askModel(given, serving, question, null);`,
  },
];
