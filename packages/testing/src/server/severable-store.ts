import {
  type MemoryStore,
  type RestoreRequest,
  type Store,
  StoreUnavailableError,
} from '@rollcall/registry-server/store';

type Request<Verb extends keyof Store> = Parameters<Store[Verb]>[0];

/**
 * A store as one registry server sees it. Once that server is killed, nothing of it may reach the store any more: while
 * it is taken apart in this process, it would deregister itself and finish what is under way. The store stays open for
 * the next server.
 */
export class SeverableStore implements Store {
  readonly #store: MemoryStore;
  #isSevered = false;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  sever(): void {
    this.#isSevered = true;
  }

  grant = (request: Request<'grant'>) => this.#do(() => this.#store.grant(request));
  renew = (...given: Parameters<Store['renew']>) => this.#do(() => this.#store.renew(...given));
  hold = (...given: Parameters<Store['hold']>) => this.#do(() => this.#store.hold(...given));
  suspect = (...given: Parameters<Store['suspect']>) =>
    this.#do(() => this.#store.suspect(...given));
  update = (request: Request<'update'>) => this.#do(() => this.#store.update(request));
  revoke = (request: Request<'revoke'>) => this.#do(() => this.#store.revoke(request));
  expire = (write: Request<'expire'>) => this.#do(() => this.#store.expire(write));
  put = (request: Request<'put'>) => this.#do(() => this.#store.put(request));
  remove = (request: Request<'remove'>) => this.#do(() => this.#store.remove(request));
  restore = (request: RestoreRequest) => this.#do(() => this.#store.restore(request));
  follow = (...given: Parameters<Store['follow']>) => this.#do(() => this.#store.follow(...given));
  continuity = (at: Request<'continuity'>) => this.#do(() => this.#store.continuity(at));
  snapshot = () => this.#do(() => this.#store.snapshot());

  async close(): Promise<void> {
    this.sever();
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isSevered) throw new StoreUnavailableError('this server was killed');
    return work();
  }
}
