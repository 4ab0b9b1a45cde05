import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy that holds back what is sent through it, until the test delivers the first request. */
export class HoldingProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #isHolding = true;
  #wanted = /^/;
  #held = '';

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(targetPort: number): Promise<HoldingProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new HoldingProxy(server, targetPort);
    server.on('connection', (socket) => proxy.#accept(socket));
    return proxy;
  }

  /** The bytes that the first held connection has sent. */
  get held(): string {
    return this.#held;
  }

  /** From now on, new connections pass through directly. */
  letThrough(): void {
    this.#isHolding = false;
  }

  /**
   * From now on, new connections are held again, and open connections are closed. `wanted`: the request to keep. Resolves
   * once both sides know.
   */
  async holdBack(wanted = /^/): Promise<void> {
    this.#isHolding = true;
    this.#wanted = wanted;
    this.#held = '';
    const open = [...this.#sockets];
    await Promise.all(open.map((socket) => once(socket.destroy(), 'close')));
    // The client reads the end in the next turn of the event loop.
    await setTimeout(1);
  }

  /** Sends the held bytes, although their sender is gone; returns the response. */
  async deliver(): Promise<string> {
    const socket = connect(this.#targetPort, '127.0.0.1');
    this.#keep(socket);
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
      const [head, body] = answer.split('\r\n\r\n', 2);
      const length = Number(/content-length: (\d+)/i.exec(head ?? '')?.[1] ?? Infinity);
      if ((body?.length ?? 0) >= length) socket.end();
    });
    socket.write(this.#held);
    await once(socket, 'close');
    return answer;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#keep(socket);
    if (this.#isHolding) {
      socket.once('data', (first: Buffer) => {
        if (this.#held !== '' || !this.#wanted.test(first.toString())) return;
        this.#held = first.toString();
        socket.on('data', (chunk: Buffer) => (this.#held += chunk.toString()));
      });
      return;
    }
    const onward = connect(this.#targetPort, '127.0.0.1');
    this.#keep(onward);
    socket.pipe(onward).pipe(socket);
    socket.once('close', () => onward.destroy());
    onward.once('close', () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
