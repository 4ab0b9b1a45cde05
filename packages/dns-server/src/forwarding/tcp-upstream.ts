import { type Socket, connect } from 'node:net';
import { Query, readQuery } from '../wire/query.ts';
import { MessageSplitter, framed } from '../wire/tcp-framing.ts';
import type { UpstreamParts } from './udp-upstream.ts';
import { IDS, type Upstream, type UpstreamAddress, answersTo, withId } from './upstream.ts';

/**
 * Opens a connection for each query: TCP queries are rare, mostly repeats of queries
 * whose answer was too large for UDP.
 */
export class TcpUpstream implements Upstream {
  readonly #address: UpstreamAddress;
  readonly #parts: UpstreamParts;
  /** Deadline of each connection, in order. */
  readonly #ends = new Map<Socket, number>();

  constructor(address: UpstreamAddress, parts: UpstreamParts) {
    this.#address = address;
    this.#parts = parts;
  }

  ask(message: Buffer, done: (answer: Buffer | undefined) => void): void {
    const { clock, timeoutMs, random } = this.#parts;
    const query = new Query();
    readQuery(message, query);
    const id = random.below(IDS);
    const splitter = new MessageSplitter();
    let found: Buffer | undefined;
    const socket = connect(this.#address);
    this.#ends.set(socket, clock.monotonicMs() + timeoutMs);
    socket.write(framed(withId(message, id)));
    socket.on('data', (chunk: Buffer) => {
      splitter.push(chunk);
      const answer = splitter.next();
      if (answer === undefined) return;
      const isIt = answersTo(answer, message, query.questionEnd) && answer.readUInt16BE(0) === id;
      if (isIt) found = withId(answer, message.readUInt16BE(0));
      socket.destroy();
    });
    // 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ends.delete(socket);
      done(found);
    });
  }

  checkDeadlines(nowMs: number): void {
    for (const [socket, endMs] of this.#ends) {
      if (endMs > nowMs) return;
      socket.destroy();
    }
  }

  close(): void {
    for (const socket of this.#ends.keys()) socket.destroy();
  }
}
