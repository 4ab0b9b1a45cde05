import { isDeepStrictEqual } from 'node:util';
import {
  type HttpLimits,
  type HttpTimeouts,
  TlsAcceptor,
  type TlsAcceptorOptions,
  type TlsAcceptorParts,
} from '@rollcall/dataplane';
import type { ListenerTlsConfig } from '../../config/schema.ts';
import type { Step } from '../../reload/step.ts';
import { ListenerCertificates, type ListenerCertificatesParts } from './listener-certificates.ts';

export interface TlsListenerParts extends ListenerCertificatesParts, TlsAcceptorParts {}

/** What the handshakes of all listeners may take. */
export interface HandshakeLimits {
  readonly timeouts: Pick<HttpTimeouts, 'handshakeMs'>;
  readonly limits: Pick<HttpLimits, 'handshakes'>;
}

/** Other settings of a listener, and the listener with them. */
interface ListenerStep extends Step {
  readonly listener: TlsListener;
}

/** The TLS of one listener with the same settings. Another one with other settings may have its acceptor. */
export class TlsListener {
  readonly certificates: ListenerCertificates;
  readonly acceptor: TlsAcceptor;
  readonly #config: ListenerTlsConfig;

  private constructor(
    config: ListenerTlsConfig,
    certificates: ListenerCertificates,
    acceptor: TlsAcceptor,
  ) {
    this.#config = config;
    this.certificates = certificates;
    this.acceptor = acceptor;
  }

  /**
   * Makes the settings of a listener ready.
   * @param known the listener with the settings from before; it stays if they are the same.
   * @throws FileFault when a file cannot be used.
   */
  static prepare(
    wanted: { readonly name: string; readonly tls: ListenerTlsConfig } & HandshakeLimits,
    known: TlsListener | undefined,
    parts: TlsListenerParts,
  ): ListenerStep {
    const { name, tls } = wanted;
    const options = optionsOf(tls, wanted);
    if (known !== undefined && isDeepStrictEqual(known.#config, tls)) {
      return { listener: known, commit: () => known.acceptor.configure(options), undo() {} };
    }
    const certificates = new ListenerCertificates(name, tls, parts);
    const { table } = certificates;
    const use = known?.acceptor.prepare(table, options);
    const acceptor = known?.acceptor ?? new TlsAcceptor(table, options, parts);
    const commit = (): void => {
      known?.certificates.onReplaced(undefined);
      use?.();
      acceptor.configure(options);
      certificates.onReplaced((replaced) => acceptor.replace(replaced));
      // The key may have changed since it was made ready.
      certificates.rebuild();
    };
    return { listener: new TlsListener(tls, certificates, acceptor), commit, undo() {} };
  }
}

function optionsOf(
  { verifyClient }: ListenerTlsConfig,
  { timeouts, limits }: HandshakeLimits,
): TlsAcceptorOptions {
  return {
    protocols: ['http/1.1'],
    clientCertificates: verifyClient,
    handshakeMs: timeouts.handshakeMs,
    handshakeLimit: limits.handshakes,
  };
}
