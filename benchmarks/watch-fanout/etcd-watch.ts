import type { ClientHttp2Session } from 'node:http2';
import { bytesField, grpcFrame, openCall, openGrpc } from '../support/grpc.ts';
import { HttpLoad, requestBytes } from '../support/http-load.ts';

const KEY = 'default/orders/orders-0';
const VALUE = JSON.stringify({ address: '127.0.0.1', ports: { http: 3_000 }, weight: 100 });

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A watch of one key and two ways of writing it: over etcd's own protocol and over its JSON gateway. */
export class EtcdWatch {
  readonly #session: ClientHttp2Session;
  readonly #gateway: HttpLoad;
  #onMessage: () => void = () => {};

  private constructor(session: ClientHttp2Session, gateway: HttpLoad) {
    this.#session = session;
    this.#gateway = gateway;
  }

  static async open(port: number): Promise<EtcdWatch> {
    const gateway = new HttpLoad({ port, connections: 1, status: 200 });
    await gateway.open();
    const watch = new EtcdWatch(await openGrpc(port), gateway);
    const created = watch.nextChange();
    const call = openCall(watch.#session, '/etcdserverpb.Watch/Watch', {
      onMessage: () => watch.#onMessage(),
    });
    call.write(grpcFrame(bytesField(1, bytesField(1, KEY))));
    await created;
    return watch;
  }

  /** Resolves at the next message of the watch, with the time. */
  nextChange(): Promise<number> {
    return new Promise((resolve) => {
      this.#onMessage = () => resolve(performance.now());
    });
  }

  /** Resolves once the write is answered. */
  putByGrpc(): Promise<void> {
    return new Promise((resolve) => {
      const onMessage = () => resolve();
      const call = openCall(this.#session, '/etcdserverpb.KV/Put', { onMessage });
      call.end(grpcFrame(bytesField(1, KEY), bytesField(2, VALUE)));
    });
  }

  putByJson(): Promise<void> {
    const body = { key: base64(KEY), value: base64(VALUE) };
    return this.#gateway.runCount(1, () => requestBytes('POST', '/v3/kv/put', body));
  }

  close(): void {
    this.#session.destroy();
    this.#gateway.close();
  }
}
