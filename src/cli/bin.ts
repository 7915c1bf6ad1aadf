#!/usr/bin/env node
import path from 'node:path';
import process from 'node:process';
import { runCli } from './main.ts';
import { processTerminal } from './terminal.ts';

// The SDK of AWS would write a line about versions of Node into the log when it is loaded.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const called = path.basename(process.argv[1] ?? '', '.js');
process.exitCode = await runCli(
  process.argv.slice(2),
  processTerminal(called === 'falco-talon' ? 'falco-talon' : 'talon'),
);
