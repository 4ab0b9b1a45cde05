import { bindSocket, type BoundSocket, type SocketPlace } from '@rollcall/dataplane';

interface Stored<User> {
  readonly socket: Promise<BoundSocket>;
  readonly users: Set<User>;
}

/** Sockets that outlive those who use them. Each is open for as long as anybody uses it. */
export class SocketStore<User> {
  readonly #stored = new Map<string, Stored<User>>();

  /** The socket of that key. @throws the system's error when the address cannot be bound. */
  async bind(user: User, key: string, place: SocketPlace): Promise<BoundSocket> {
    let stored = this.#stored.get(key);
    if (stored === undefined) {
      stored = { socket: bindSocket(place), users: new Set() };
      this.#stored.set(key, stored);
    }
    stored.users.add(user);
    try {
      return await stored.socket;
    } catch (error) {
      if (this.#stored.get(key) === stored) this.#stored.delete(key);
      throw error;
    }
  }

  release(user: User, key: string): void {
    const stored = this.#stored.get(key);
    if (stored === undefined) return;
    stored.users.delete(user);
    if (stored.users.size > 0) return;
    this.#stored.delete(key);
    // One that could not be bound has been told to whoever asked.
    stored.socket.then(
      (socket) => socket.close(),
      () => {},
    );
  }

  /** All that somebody uses. */
  releaseAll(user: User): void {
    for (const key of this.#stored.keys()) this.release(user, key);
  }
}
