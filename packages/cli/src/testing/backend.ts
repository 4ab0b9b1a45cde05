import { createServer, type Server, type Socket } from 'node:net';

/** A TCP server that first sends its name and then answers in capital letters. */
export class Backend {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(name: string) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.write(`${name}\n`);
      socket.on('data', (chunk) => void socket.write(chunk.toString().toUpperCase()));
      // All received data is answered before this side ends too.
      socket.on('end', () => socket.end('end\n'));
    });
  }

  static start(name: string): Promise<Backend> {
    const backend = new Backend(name);
    return new Promise((resolve) => {
      backend.#server.listen(0, '127.0.0.1', () => resolve(backend));
    });
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
