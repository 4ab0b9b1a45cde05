import { once } from 'node:events';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** A path of a socket may not be longer, in bytes (sun_path). */
const LONGEST_PATH = 100;

/**
 * Keeps a second process from the same file. A socket beside it is bound for as long as the process lives, whatever
 * becomes of it: after a power cut nobody answers there, and the same number of another process, or of one in another
 * container, does not matter. Whoever asks is told who has it.
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
    const path = `${target}.lock`;
    await mkdir(dirname(path), { recursive: true });
    const place = await placeOf(path);
    try {
      for (let tries = 0; tries < 3; tries++) {
        const server = await bound(place.address);
        if (server !== undefined) return new FileLock(path, server);
        await putAside(path, `${process.pid}-${tries}`);
      }
    } finally {
      await place.close();
    }
    throw new Error(`${path} cannot be taken: another process takes it at the same time`);
  }

  /** Twice without harm. */
  async release(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    await rm(this.#path, { force: true });
  }
}

/** Where a socket is bound or asked: by way of its open folder where the path is too long (Linux). */
async function placeOf(path: string): Promise<{ address: string; close(): Promise<void> }> {
  if (Buffer.byteLength(path) <= LONGEST_PATH) return { address: path, close: async () => {} };
  const folder = await open(dirname(path), 'r');
  const address = join('/proc/self/fd', String(folder.fd), basename(path));
  return { address, close: () => folder.close() };
}

/** Undefined when something is there already. */
async function bound(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`process ${process.pid} on ${hostname()}`);
  });
  server.listen(address);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  server.unref();
  return server;
}

/**
 * Takes away what a process left that is no more. It is moved first, and then asked: of two who find it at once one moves
 * it, and if that was the other's own by then it is put back.
 */
async function putAside(path: string, mark: string): Promise<void> {
  await refuseIfAlive(path);
  const aside = `${path}.${mark}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    await refuseIfAlive(aside, path);
  } catch (error) {
    await rename(aside, path);
    throw error;
  }
  await rm(aside, { force: true });
}

async function refuseIfAlive(path: string, shown = path): Promise<void> {
  const holder = await holderOf(path);
  if (holder === undefined) return;
  throw new Error(`${holder} uses it (${shown}); expected a file of its own for each`);
}

/** Who answers there; undefined = nobody does. */
async function holderOf(path: string): Promise<string | undefined> {
  const place = await placeOf(path);
  const socket = connect(place.address);
  try {
    let said = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      said += chunk as string;
      if (said.length > 500) break;
    }
    return said === '' ? 'another process' : said;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
    await place.close();
  }
}
