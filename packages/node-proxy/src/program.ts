import { runProgram, tellOf } from '@rollcall/daemon';
import { systemClock } from '@rollcall/runtime';
import { startNodeProxy } from './compose.ts';
import { helpText, readConfig } from './config.ts';

/** Runs the node proxy until it is stopped. `argv`: its command line. @default that of this process */
export function runNodeProxy(argv?: readonly string[]): Promise<void> {
  return runProgram(
    {
      name: 'rollcall-node-proxy',
      main: import.meta.url,
      help: helpText,
      configure: readConfig,
      clock: systemClock,
      async start(config, { logger, supervisor }) {
        const proxy = await startNodeProxy(config, { log: tellOf(logger), supervisor });
        const { admin = null, reporter, io } = proxy;
        return { started: { admin, reporter, io }, close: () => proxy.close() };
      },
    },
    argv,
  );
}
