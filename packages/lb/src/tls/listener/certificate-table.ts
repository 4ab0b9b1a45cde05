import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { TlsContexts } from '@rollcall/dataplane';
import type { Certificate } from '../files/certificate.ts';

/** Which certificate a client gets. Never changed, only replaced as a whole. */
export class CertificateTable implements TlsContexts {
  readonly fallback: SecureContextOptions;
  readonly #exact = new Map<string, SecureContext>();
  /** By what follows `*.`. */
  readonly #wildcards = new Map<string, SecureContext>();

  /**
   * Of several certificates for one name the first one counts. `fallback`: for clients that ask for no name, or for one
   * that no certificate is for.
   */
  constructor(
    certificates: readonly Certificate[],
    contextOf: (certificate: Certificate) => SecureContext,
    fallback: SecureContextOptions,
  ) {
    this.fallback = fallback;
    for (const certificate of certificates) {
      const context = contextOf(certificate);
      for (const name of certificate.names) {
        const [table, key] = name.startsWith('*.')
          ? [this.#wildcards, name.slice(2)]
          : [this.#exact, name];
        if (!table.has(key)) table.set(key, context);
      }
    }
    Object.freeze(this);
  }

  find(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase().replace(/\.$/, '');
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    // `*` stands for exactly one label.
    return dot <= 0 ? undefined : this.#wildcards.get(name.slice(dot + 1));
  }
}
