#!/usr/bin/env node
import { runCommand } from '@millrace/runtime';
import { runProgram } from './program.ts';

await runCommand(runProgram);
