export type { Output } from './context.ts';
export { type ProgramParts, runProgram } from './program.ts';
