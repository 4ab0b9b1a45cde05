import { once } from 'node:events';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pause, systemClock, systemRandom } from '@rollcall/runtime';

/** The longest path of a socket, in bytes (sun_path). */
const LONGEST_PATH = 100;
/** How long another process may take to answer, and how long it may take to decide whether it gives way, in ms. */
const PATIENCE_MS = 2_000;
const ASK_AGAIN_MS = 5;

/** State of another process. `silent`: no answer within the patience. `unclear`: the connection broke. */
type State = 'holds' | 'waits' | 'silent' | 'unclear';
type Other = { readonly name: string; readonly state: State; readonly who: string };

/**
 * Keeps a second process from using the same file. A socket beside the file answers only while its process lives: after
 * a power cut nothing answers there. So it does not matter if another process, or one in another container, has the
 * same process id. The answer names the process that has the file.
 *
 * Each process has a socket with a unique name: a dead socket stays dead and can be deleted without a second check.
 * Each process shows its own socket before it looks at the others, so of two processes at least one sees the other. A
 * process that sees a holder, or a waiting process with a smaller name, gives way. A process that sees a larger name
 * waits for that one's decision (the order of Lamport's bakery, "A new solution of Dijkstra's concurrent programming
 * problem").
 */
export class FileLock {
  readonly #path: string;
  readonly #server: Server;

  private constructor(path: string, server: Server) {
    this.#path = path;
    this.#server = server;
  }

  /** Rejects with an error that names the other process when one has the file. */
  static async acquire(target: string): Promise<FileLock> {
    const folder = dirname(target);
    await mkdir(folder, { recursive: true });
    const own = `${lockOf(target)}.${process.pid}-${systemRandom.hex(6)}`;
    const state = { holds: false };
    const lock = new FileLock(join(folder, own), await shown(join(folder, own), state));
    try {
      await giveWay(target, own);
    } catch (error) {
      await lock.release();
      throw error;
    }
    state.holds = true;
    lock.#server.unref();
    return lock;
  }

  /** May be called twice. */
  async release(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    await rm(this.#path, { force: true });
  }
}

const lockOf = (target: string): string => `${basename(target)}.lock`;

/** Resolves when no other process is left. Rejects when one has the file or goes first. */
async function giveWay(target: string, own: string): Promise<void> {
  for (let tries = PATIENCE_MS / ASK_AGAIN_MS; ; tries--) {
    const others = await othersOf(target, own);
    if (others.length === 0) return;
    const first =
      others.find(({ state }) => state === 'holds') ??
      others.find(({ state, name }) => state === 'waits' && name < own) ??
      // A live process that says nothing may have the file. The connection to a process that is about to exit breaks.
      (tries <= 0 || others.some(({ state }) => state === 'silent') ? others[0] : undefined);
    if (first !== undefined) {
      const { who, state, name } = first;
      const verb = state === 'waits' ? 'takes it at the same time' : 'uses it';
      const path = join(dirname(target), name);
      throw new Error(`${who} ${verb} (${path}); expected a file of its own for each`);
    }
    await pause(systemClock, ASK_AGAIN_MS, new AbortController().signal);
  }
}

/** The live processes. Deletes the sockets of dead ones. */
async function othersOf(target: string, own: string): Promise<Other[]> {
  const folder = dirname(target);
  const lock = lockOf(target);
  const names = (await readdir(folder)).filter(
    (name) => name !== own && (name === lock || name.startsWith(`${lock}.`)),
  );
  const answers = await Promise.all(
    names.map(async (name) => {
      const said = await ask(join(folder, name));
      if (said !== undefined) return [{ name, ...said }];
      await rm(join(folder, name), { force: true });
      return [];
    }),
  );
  return answers.flat();
}

/** Makes a socket at this path that answers as soon as it is visible there. */
async function shown(path: string, state: { readonly holds: boolean }): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${state.holds ? 'holds' : 'waits'}: process ${process.pid} on ${hostname()}`);
  });
  // Between bind and listen the socket would look dead, so it starts under a hidden name.
  const hidden = join(dirname(path), `.${basename(path)}`);
  const place = await placeOf(hidden);
  try {
    server.listen(place.address);
    await once(server, 'listening');
    await rename(hidden, path);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await place.close();
  }
  return server;
}

/** Undefined = the process is dead. */
async function ask(path: string): Promise<Omit<Other, 'name'> | undefined> {
  const place = await placeOf(path);
  const socket = connect(place.address);
  let isSilent = false;
  socket.setTimeout(PATIENCE_MS, () => {
    isSilent = true;
    socket.destroy(new Error('no answer'));
  });
  let said = '';
  try {
    for await (const chunk of socket.setEncoding('utf8')) {
      said += chunk as string;
      if (said.length > 500) break;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined;
  } finally {
    socket.destroy();
    await place.close();
  }
  const [word, who = 'another process'] = said.split(': ', 2);
  if (word === 'holds' || word === 'waits') return { state: word, who };
  return { state: isSilent ? 'silent' : 'unclear', who: 'another process' };
}

/** The address to bind or connect to. If the path is too long, it goes through the open folder (Linux). */
async function placeOf(path: string): Promise<{ address: string; close(): Promise<void> }> {
  if (Buffer.byteLength(path) <= LONGEST_PATH) return { address: path, close: async () => {} };
  const folder = await open(dirname(path), 'r');
  const address = join('/proc/self/fd', String(folder.fd), basename(path));
  return { address, close: () => folder.close() };
}
