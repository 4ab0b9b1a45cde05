import { once } from 'node:events';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pause, systemClock, systemRandom } from '@rollcall/runtime';

/** A path of a socket may not be longer, in bytes (sun_path). */
const LONGEST_PATH = 100;
/** How long one that is asked may take, and how long one that was there first may take to make up its mind. */
const PATIENCE_MS = 2_000;
const ASK_AGAIN_MS = 5;

/** What another one wants; `silent` did not say so within the patience, of `unclear` one the connection broke. */
type State = 'holds' | 'waits' | 'silent' | 'unclear';
type Other = { readonly name: string; readonly state: State; readonly who: string };

/**
 * Keeps a second process from the same file. A socket beside it answers for as long as the process lives, whatever
 * becomes of it: after a power cut nobody answers there, and the same number of another process, or of one in another
 * container, does not matter. Whoever asks is told who has it.
 *
 * Each has a socket of a name that no other ever has, so that one that is dead stays so and can be taken away without a
 * second look. Everybody shows his own before he looks at the others; of two, therefore, one sees the other at least. One
 * that sees a holder, or one of a smaller name, gives way; one that sees a greater name waits for what becomes of that
 * (the order that Lamport's bakery gives its customers, in "A new solution of Dijkstra's concurrent programming problem").
 */
export class FileLock {
  readonly #path: string;
  readonly #server: Server;

  private constructor(path: string, server: Server) {
    this.#path = path;
    this.#server = server;
  }

  /** Rejects with an error that names the process when another one has it. */
  static async take(target: string): Promise<FileLock> {
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

  /** Twice without harm. */
  async release(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    await rm(this.#path, { force: true });
  }
}

const lockOf = (target: string): string => `${basename(target)}.lock`;

/** Until no other one is left. Rejects when one has the file, or has the better right to it. */
async function giveWay(target: string, own: string): Promise<void> {
  for (let tries = PATIENCE_MS / ASK_AGAIN_MS; ; tries--) {
    const others = await othersOf(target, own);
    if (others.length === 0) return;
    const first =
      others.find(({ state }) => state === 'holds') ??
      others.find(({ state, name }) => state === 'waits' && name < own) ??
      // One that lives and says nothing may well have it; of one that is about to go the connection breaks.
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

/** Those who live; what the others left behind is taken away. */
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

/** A socket at this path that answers from the moment that it can be seen there. */
async function shown(path: string, state: { readonly holds: boolean }): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${state.holds ? 'holds' : 'waits'}: process ${process.pid} on ${hostname()}`);
  });
  // Between a bind and a listen it would look dead.
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

/** Undefined = nobody lives there any more. */
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

/** Where a socket is bound or asked: by way of its open folder where the path is too long (Linux). */
async function placeOf(path: string): Promise<{ address: string; close(): Promise<void> }> {
  if (Buffer.byteLength(path) <= LONGEST_PATH) return { address: path, close: async () => {} };
  const folder = await open(dirname(path), 'r');
  const address = join('/proc/self/fd', String(folder.fd), basename(path));
  return { address, close: () => folder.close() };
}
