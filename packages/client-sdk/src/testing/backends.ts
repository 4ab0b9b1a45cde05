import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';

/** A server in this process that records every request and whose connections can be cut. */
export interface Backend {
  readonly port: number;
  /** `METHOD /path body`, in the order in which the requests were read completely. */
  readonly seen: string[];
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** Answers with `name` unless `answer` is given. */
export async function startBackend(name: string, answer?: Answer): Promise<Backend> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${body}`.trim());
      if (answer === undefined) response.end(name);
      else answer(request, response, body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise<void>((done) => server.close(() => done()));
  };
  return { port, seen, close };
}

/**
 * A port without a listener for as long as this process lives: an outgoing connection uses it, so the
 * system gives it to no other program.
 */
export async function closedPort(): Promise<number> {
  const server = createTcpServer((socket) => socket.unref()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const outgoing = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(outgoing, 'connect');
  outgoing.unref();
  server.close();
  return outgoing.localPort!;
}

const SCRIPT = `
import { createServer } from 'node:http';
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    if (request.method === 'POST') process.send({ post: body });
    const delayMs = Number(new URL(request.url, 'http://x').searchParams.get('delay') ?? 0);
    setTimeout(() => response.end('ok'), delayMs);
  });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
`;

/** A server in its own process, which a test can kill like a crash. Answers after `?delay=` ms. */
export class BackendProcess {
  readonly port: number;
  /** Bodies of the POST requests that it has read, reported before they are answered. */
  readonly posts: string[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.on('message', ({ post }: { post?: string }) => {
      if (post !== undefined) this.posts.push(post);
    });
  }

  static async start(): Promise<BackendProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const port = await new Promise<number>((done, fail) => {
      child.once('message', (message) => done((message as { port: number }).port));
      child.once('exit', (code) => fail(new Error(`backend ended with ${code}`)));
    });
    return new BackendProcess(child, port);
  }

  /** SIGKILL; resolves once the process is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((done) => this.#child.once('exit', done));
    this.#child.kill('SIGKILL');
    await gone;
  }
}
