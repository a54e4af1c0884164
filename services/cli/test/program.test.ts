import { describe, expect, test } from '@jest/globals';
import { runProgram } from '../src/program.ts';
import { fakeIo } from './fakeIo.ts';

describe('the command line', () => {
  test('help names every command and the exit codes', async () => {
    const io = fakeIo();
    expect(await runProgram(['--help'], io)).toBe(0);
    const help = io.data.join('\n');
    for (const command of [
      'demo',
      'up',
      'down',
      'status',
      'publish',
      'tail',
      'trace',
      'dlq',
      'replay',
      'topics',
      'schemas',
      'init',
      'batch',
      'capacity',
      'reconcile',
      'run',
    ])
      expect(help).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect(help).toContain('2 called wrongly');
  });

  test.each([
    [['nonsense'], /unknown command/],
    [['demo', '--events', 'many'], /a whole number is needed/],
    [['publish', '--file', 'a.csv'], /--stream/],
    [['tail', 'everything', '--directory', '/nonexistent'], /there is: predictions/],
    [['dlq', 'redrive'], /--topic/],
    [['dlq', 'redrive', '--topic', 'a', '--execute', '--dry-run'], /cannot be used with/],
    [['replay', 'run'], /--topic/],
    [['replay', 'run', '--topic', 'a:x'], /write TOPIC or TOPIC:0,1/],
    [
      ['replay', 'run', '--topic', 'a', '--from-offset', '1', '--from-datetime', '2026-08-14'],
      /cannot be used with/,
    ],
    [['replay', 'run', '--topic', 'a', '--to-datetime', 'soon'], /'soon' is no time/],
    [['replay', 'run', '--topic', 'a', '--rate', '0'], /a number above zero/],
    [['replay', 'run', '--topic', 'a', '--run', 'live'], /cannot be the id of a run/],
    [['replay', 'run', '--topic', 'a', '--execute', '--dry-run'], /cannot be used with/],
    [['dlq', 'show'], /TOPIC:PARTITION:OFFSET or --topic/],
    [['init', 'Not A Name'], /cannot be the name of a pipeline/],
    [['tail', 'predictions', '--directory', '/nonexistent'], /start one with `millrace up`/],
    [['topics', 'apply', '--bootstrap-server', 'x:1'], /give both/],
  ])('%j is called wrongly: exit code 2 and the remedy', async (argv, message) => {
    const io = fakeIo();
    expect(await runProgram(argv, io)).toBe(2);
    expect(io.said.join('\n')).toMatch(message);
  });

  test('status where nothing runs says how to start it', async () => {
    const io = fakeIo();
    expect(await runProgram(['status', '--directory', '/nonexistent'], io)).toBe(1);
    expect(io.data.join('\n')).toContain('millrace up');
  });
});
