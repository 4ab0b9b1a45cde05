import { runProgram, tellOf, urlHostOf } from '@rollcall/daemon';
import { systemClock } from '@rollcall/runtime';
import { startDnsServer } from './compose.ts';
import { helpText, readConfig } from './config/config.ts';

/** Runs the DNS server until it is stopped. `argv`: its command line. @default that of this process */
export function runDnsServer(argv?: readonly string[]): Promise<void> {
  return runProgram(
    {
      name: 'rollcall-dns',
      main: import.meta.url,
      help: helpText,
      configure: readConfig,
      clock: systemClock,
      async start(config, { logger, supervisor }) {
        const server = await startDnsServer(config, { log: tellOf(logger), supervisor });
        const { addresses, admin = null } = server;
        const dns = addresses.map(({ host, port }) => `${urlHostOf(host)}:${port}`);
        return { started: { dns, zone: config.zone, admin }, close: () => server.close() };
      },
    },
    argv,
  );
}
