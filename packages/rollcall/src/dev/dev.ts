import { readOptions } from './dev-options.ts';
import { DevStack } from './stack.ts';

const REGISTRY =
  '  ROLLCALL_URL     of the registry servers [default: http://127.0.0.1:7400]\n  ROLLCALL_TOKEN   [default: none]\n';

const PARTS: Readonly<Record<string, { readonly help: string; start(): Promise<unknown> }>> = {
  hello: {
    help: `Usage: [VARIABLE=VALUE...] rollcall dev hello

Starts one more instance of the service hello, until it is ended.

${REGISTRY}  HELLO_ID         instance id [default: hello-PID]
  HELLO_HOST       where it listens [default: 127.0.0.1]
  HELLO_PORT       [default: any free one]
  HELLO_ADDRESS    where others reach it [default: the address that the registry sees]
`,
    start: () => import('./hello.ts'),
  },
  caller: {
    help: `Usage: [VARIABLE=VALUE...] rollcall dev caller

Calls the service hello ten times a second, and prints what came of it each second, until it is ended.

${REGISTRY}`,
    start: () => import('./caller.ts'),
  },
};

/**
 * `rollcall dev`, which is also `npm start`. `dev hello` and `dev caller` are the two programs of the stack that are no
 * servers: an instance of the service `hello`, and a client of it.
 */
export async function runDev(argv: readonly string[]): Promise<void> {
  const [part = '', ...rest] = argv;
  const own = PARTS[part];
  if (own !== undefined && Object.hasOwn(PARTS, part)) {
    if (rest.length === 0) await own.start();
    else if (rest.every((word) => ['-h', '--help'].includes(word))) process.stdout.write(own.help);
    else {
      console.error(
        `rollcall dev ${part}: expected no options, got "${rest.join(' ')}"\n\n${own.help}`,
      );
      process.exitCode = 2;
    }
  } else {
    const options = await readOptions(argv);
    if (options !== undefined) await new DevStack(options).run();
  }
}
