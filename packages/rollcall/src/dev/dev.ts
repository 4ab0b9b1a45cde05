import { readOptions } from './dev-options.ts';
import { DevStack } from './stack.ts';

/**
 * `rollcall dev`, which is also `npm start`. `dev hello` and `dev caller` are the two programs of the stack that are no
 * servers: an instance of the service `hello`, and a client of it.
 */
export async function runDev(argv: readonly string[]): Promise<void> {
  const [part] = argv;
  if (part === 'hello') await import('./hello.ts');
  else if (part === 'caller') await import('./caller.ts');
  else {
    const options = await readOptions(argv);
    if (options !== undefined) await new DevStack(options).run();
  }
}
