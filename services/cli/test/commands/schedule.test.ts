import { expect, test } from '@jest/globals';
import { credit, fraud, loans } from '@millrace/pipelines';
import { scheduledPipelines } from '../../src/commands/schedule.ts';
import { EXIT } from '../../src/io.ts';
import { runProgram } from '../../src/program.ts';
import { fakeIo } from '../fakeIo.ts';

const NONE = { pipeline: undefined, cron: undefined, timeZone: undefined };
const nightly = { ...loans, night: { ...credit.night!, cron: '0 3 1 * *' } };
const among = [fraud, credit, nightly];
const names = (flags: Partial<typeof NONE> | { pipeline: readonly string[] }): readonly string[] =>
  scheduledPipelines({ ...NONE, ...flags }, among).map(({ name }) => name);

test('all pipelines with a schedule, or those that are named', () => {
  expect(names({})).toEqual(['credit', 'loans']);
  expect(names({ pipeline: ['loans'] })).toEqual(['loans']);
  expect(() => names({ pipeline: ['fraud'] })).toThrow(/no pipeline 'fraud' has a schedule .*there are: credit, loans/);
  expect(() => scheduledPipelines(NONE, [fraud])).toThrow(/no pipeline has a schedule/);
}); // prettier-ignore

test('other times than those of the definition, for one pipeline, held to the same rules', () => {
  const of = (flags: object) => scheduledPipelines({ ...NONE, pipeline: ['credit'], ...flags }, among)[0]!.night;
  expect(of({ cron: '5 4 * * *', timeZone: 'Europe/Berlin' })).toEqual({ ...credit.night, cron: '5 4 * * *', timeZone: 'Europe/Berlin' });
  expect(of({ timeZone: 'UTC' })).toEqual({ ...credit.night, timeZone: 'UTC' });
  expect(() => of({ cron: '61 * * * *' })).toThrow(/the schedule cannot stand:\n- night.cron: '61 \* \* \* \*' is no cron expression/);
  expect(() => scheduledPipelines({ ...NONE, cron: '5 4 * * *' }, among)).toThrow(/of one pipeline: name it/);
}); // prettier-ignore

test('a schedule that cannot be kept is a call that was wrong', async () => {
  const io = fakeIo();
  expect(await runProgram(['batch', 'schedule', '--pipeline', 'fraud'], io)).toBe(EXIT.usage);
  expect(io.said.join('\n')).toMatch(/no pipeline 'fraud' has a schedule/);
});
