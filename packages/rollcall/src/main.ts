#!/usr/bin/env node
// The `rollcall` command: a program by its name, or else a command of the command line client.
import module from 'node:module';
import { PROGRAMS } from './programs.ts';

const NEEDED = 24;
const [major] = process.versions.node.split('.').map(Number);
if (major === undefined || major < NEEDED) {
  console.error(`rollcall: Node.js ${NEEDED} or later is needed, this is ${process.versions.node}`);
  process.exit(1);
}

// The next start need not compile everything again. A process that was started again for little memory does without:
// the cache holds more code than it runs.
if (!process.execArgv.includes('--expose-gc')) module.enableCompileCache();

const words = process.argv.slice(2);
// `rollcall help lb` is `rollcall lb --help`.
const [name, ...argv] = words[0] === 'help' ? [...words.slice(1), '--help'] : words;
const program = PROGRAMS.find((one) => one.name === name);
if (program === undefined) {
  const { runCli } = await import('@rollcall/cli');
  await runCli(PROGRAMS);
} else await program.run(argv);
