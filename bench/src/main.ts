import { runCommand } from '@millrace/runtime';
import { runBench } from './program.ts';

await runCommand(runBench);
