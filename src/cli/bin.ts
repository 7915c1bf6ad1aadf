#!/usr/bin/env node
import path from 'node:path';
import process from 'node:process';
import { runCli } from './main.ts';
import { processTerminal } from './terminal.ts';

const called = path.basename(process.argv[1] ?? '', '.js');
process.exitCode = await runCli(
  process.argv.slice(2),
  processTerminal(called === 'falco-talon' ? 'falco-talon' : 'talon'),
);
