import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { EXIT } from './base/cli-error.ts';
import { visibleText } from './output/untrusted.ts';
import { type ProgramParts, runProgram } from './program.ts';
import { restartSmall } from './supervised/small-process.ts';

/** Runs the command line of this process, and ends the process. `programs` are listed in the help text. */
export async function runCli(programs: ProgramParts['programs'] = []): Promise<void> {
  // A reader that closes the pipe early, such as head, is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  const ended = runProgram(process.argv.slice(2), {
    out: sinkOf(process.stdout),
    err: sinkOf(process.stderr),
    env: process.env,
    signal: stopSignal(),
    readStdin: () => text(process.stdin),
    version: ownVersion(),
    beforeLongRun: () => restartSmall(),
    programs,
  });
  process.exitCode = await ended.catch((fault: unknown) => {
    // A bug of this program: the text may contain untrusted input.
    process.stderr.write(`${visibleText(inspect(fault))}\n`);
    return EXIT.failed;
  });
  // Forwarded connections may still be open.
  process.stdout.write('', () => process.exit());
}

/** Aborted by the first SIGINT or SIGTERM. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let interrupts = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      stop.abort();
      // A second signal means that the user does not want to wait.
      if (++interrupts > 1) process.exit(130);
    });
  }
  return stop.signal;
}

function sinkOf(stream: NodeJS.WriteStream): ProgramParts['out'] {
  return {
    write: (chunk) => void stream.write(chunk),
    isTerminal: stream.isTTY,
    // The window may be resized while a watch runs.
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    isDecorated: stream.isTTY && process.env['NO_COLOR'] === undefined,
  };
}

function ownVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
