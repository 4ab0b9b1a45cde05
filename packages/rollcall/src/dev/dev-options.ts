import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { didYouMean } from '@rollcall/cli';
import { COMMANDS } from './commands.ts';

const HELP = `Usage: ${COMMANDS.dev} [options]

Starts a registry, a load balancer, a node proxy, a DNS server, three instances of a small service, and a client.

  --registry-port PORT   [default: 7400] (ROLLCALL_PORT)
  --lb-port PORT         [default: 8080] (LB_PORT)
  --lb-admin-port PORT   [default: 7480] (LB_ADMIN_PORT)
  --dns-port PORT        [default: 8053] (DNS_PORT)
  --node-port PORT       of the declared service, 30000 to 32767 [default: any free one] (NODE_PORT)
  --service-cidr CIDR    where cluster IPs come from [default: 127.96.0.0/16] (ROLLCALL_SERVICE_CIDR)
  --store STORE          memory or redis://host:port [default: memory] (ROLLCALL_STORE)
  --reload               start a program again when one of its source files changes
`;

/** Options of the stack. Ports are texts as they were given. */
export type DevOptions = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  const { env } = process;
  const text = (name: string, fallback: string) =>
    ({ type: 'string', default: env[name] ?? fallback }) as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'registry-port': text('ROLLCALL_PORT', '7400'),
      'lb-port': text('LB_PORT', '8080'),
      'lb-admin-port': text('LB_ADMIN_PORT', '7480'),
      'dns-port': text('DNS_PORT', '8053'),
      'node-port': text('NODE_PORT', ''),
      'service-cidr': text('ROLLCALL_SERVICE_CIDR', '127.96.0.0/16'),
      store: text('ROLLCALL_STORE', 'memory'),
      reload: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return values;
}

/** What is wrong with the command line, with the option that was probably meant. */
function parseFault({ message }: Error): string {
  const [line = ''] = message.split('. ');
  const [, unknown = ''] = /^Unknown option '--([^']*)'/.exec(line) ?? [];
  const known = Array.from(HELP.matchAll(/^ {2}--([\w-]+)/gm), ([, name = '']) => name);
  const meant = unknown === '' ? '' : didYouMean(unknown, known).replace('\t', '\t--');
  return `${line}${meant === '' ? ' (--help shows the options)' : meant}`;
}

/** The options, when the stack can start with them. Otherwise says why on standard error and sets the exit code. */
export async function readOptions(argv: readonly string[]): Promise<DevOptions | undefined> {
  let options: DevOptions;
  try {
    options = parse(argv);
  } catch (error) {
    console.error(`${COMMANDS.dev}: ${parseFault(error as Error)}`);
    process.exitCode = 2;
    return undefined;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return undefined;
  }
  const nodePort = options['node-port'];
  if (nodePort !== '' && !(Number(nodePort) >= 30_000 && Number(nodePort) <= 32_767)) {
    console.error(`${COMMANDS.dev}: --node-port: expected 30000 to 32767, got "${nodePort}"`);
    process.exitCode = 2;
    return undefined;
  }
  for (const name of ['registry-port', 'lb-port', 'lb-admin-port', 'dns-port'] as const) {
    const problem = await portProblem(options[name]);
    if (problem === undefined) continue;
    console.error(
      `port ${options[name]} ${problem}; choose another one: ${COMMANDS.dev} --${name} PORT`,
    );
    process.exitCode = 1;
    return undefined;
  }
  return options;
}

/** Why a port cannot be listened on, if it cannot. */
function portProblem(port: string): Promise<string | undefined> {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    return Promise.resolve('is no port number (1 to 65535)');
  }
  return new Promise((resolve) => {
    const probe = createServer();
    const fail = ({ code }: NodeJS.ErrnoException) => {
      probe.close();
      resolve(code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code})`);
    };
    probe.once('error', fail);
    probe.listen(number, '127.0.0.1', () => {
      const datagrams = createSocket('udp4');
      datagrams.once('error', fail);
      // DNS queries also arrive over UDP.
      datagrams.bind(number, '127.0.0.1', () => datagrams.close());
      datagrams.once('close', () => probe.close(() => resolve(undefined)));
    });
  });
}
