import { once } from 'node:events';
import type { Socket } from 'node:net';
import { openClient, readyEvent } from './tls-under-test.ts';

/** A client, over TCP or over TLS as the test run does, that sends raw bytes and waits for the bytes that it expects. */
export class RawClient {
  text = '';
  isEnded = false;
  isClosed = false;
  readonly socket: Socket;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    const changed = () => {
      for (const check of this.#waiting) check();
    };
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      changed();
    });
    socket.on('end', () => {
      this.isEnded = true;
      changed();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      changed();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = openClient(port);
    await once(socket, readyEvent());
    return new RawClient(socket);
  }

  /** Everything that one connection answers to `text` until the other side ends it. */
  static async exchange(port: number, text: string): Promise<string> {
    const client = await RawClient.connect(port);
    client.send(text);
    await client.until(() => client.isEnded || client.isClosed);
    client.socket.destroy();
    return client.text;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  untilText(part: string): Promise<void> {
    return this.until(() => this.text.includes(part));
  }

  close(): void {
    this.socket.destroy();
  }
}
