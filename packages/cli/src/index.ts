export type { Sink as Output } from './output/output.ts';
export { type ProgramParts, runProgram } from './program.ts';
export { runCli } from './run-cli.ts';
export { didYouMean } from './base/did-you-mean.ts';
