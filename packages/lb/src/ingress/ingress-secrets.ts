import { RollcallError } from '@rollcall/client-sdk';
import type { Clock } from '@rollcall/runtime';
import { readSecretCertificate, type SecretCertificate } from '../tls/files/secret-certificate.ts';
import { FileFault } from '../tls/files/file-fault.ts';

import { type IngressObject, labelOfIngress } from './ingress-object.ts';
import type { IngressRef } from './ingress-reports.ts';

/** How long to wait before a Secret that could not be read is read again, in ms. */
const RETRY_MS = 10_000;
/** How many Secrets are read at the same time. */
const TOGETHER = 8;

/** What the registry has of Secrets. */
export interface SecretSource {
  /** `namespace/name` of each Secret -> its version. `*`: of all namespaces. */
  versions(namespace: string): Promise<ReadonlyMap<string, string>>;
  /** Needs a scope of its own. */
  read(ref: IngressRef): Promise<Pair>;
}

/** A certificate and its key, in PEM. */
interface Pair {
  readonly cert: string;
  readonly key: string;
}

interface Known {
  /** Of the Secret when it was last read. */
  readonly version: string;
  readonly pair: Pair | undefined;
  /** Why it cannot be used. */
  readonly problem: string | undefined;
  readonly retryAtMs: number;
}

/** The Secrets that Ingresses name, and no others. While the registry is away the last known ones hold. */
export class IngressSecrets {
  readonly #source: SecretSource;
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  #known: ReadonlyMap<string, Known> = new Map();

  constructor(source: SecretSource, clock: Clock, onFault: (error: unknown) => void) {
    this.#source = source;
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** A text that changes whenever one of the certificates does. */
  get version(): string {
    return Array.from(this.#known, ([key, { version, pair, problem }]) => {
      return `${key} ${version} ${pair !== undefined} ${problem}`;
    }).join('\n');
  }

  /** Reads those that are new or have changed. Never rejects. */
  async update(ingresses: readonly IngressObject[], namespace: string): Promise<void> {
    const wanted = new Map(ingresses.flatMap(refsOf).map((ref) => [keyOf(ref), ref] as const));
    if (wanted.size === 0) {
      this.#known = new Map();
      return;
    }
    try {
      const versions = await this.#source.versions(namespace);
      const known = new Map<string, Known>();
      const left = wanted.entries();
      const lookAtRest = async (): Promise<void> => {
        for (const [key, ref] of left) known.set(key, await this.#look(ref, versions.get(key)));
      };
      await Promise.all(Array.from({ length: TOGETHER }, lookAtRest));
      // Their order does not depend on which answer came first.
      this.#known = new Map([...wanted.keys()].map((key) => [key, known.get(key)!] as const));
    } catch (error) {
      if (!(error instanceof RollcallError)) this.#onFault(error);
    }
  }

  /** Their certificates, those of the first Ingress first. */
  certificatesOf(ingresses: readonly IngressObject[]): SecretCertificate[] {
    return ingresses.flatMap(({ namespace, tls }) =>
      tls.flatMap(({ secretName: name, hosts }) => {
        const secret = keyOf({ namespace, name });
        const pair = this.#known.get(secret)?.pair;
        return pair === undefined ? [] : [{ secret, ...pair, hosts }];
      }),
    );
  }

  /** What is wrong with them, a sentence each. */
  notesOf(ingresses: readonly IngressObject[]): string[] {
    return ingresses.flatMap((ingress) =>
      refsOf(ingress).flatMap((ref) => {
        const problem = this.#known.get(keyOf(ref))?.problem;
        if (problem === undefined) return [];
        return [`Ingress ${labelOfIngress(ingress)}: Secret ${keyOf(ref)}: ${problem}`];
      }),
    );
  }

  /** `version`: undefined = there is no such Secret. */
  async #look(ref: IngressRef, version: string | undefined): Promise<Known> {
    const known = this.#known.get(keyOf(ref));
    if (version === undefined)
      return { version: '', pair: undefined, problem: 'there is none', retryAtMs: 0 };
    const nowMs = this.#clock.monotonicMs();
    if (known?.version === version && (known.problem === undefined || nowMs < known.retryAtMs))
      return known;
    try {
      const pair = await this.#source.read(ref);
      readSecretCertificate({ secret: keyOf(ref), ...pair, hosts: [] });
      return { version, pair, problem: undefined, retryAtMs: 0 };
    } catch (error) {
      if (!(error instanceof RollcallError || error instanceof FileFault)) throw error;
      // The last good certificate stays in use.
      const problem = `not used: ${error.message}`;
      return { version, pair: known?.pair, problem, retryAtMs: nowMs + RETRY_MS };
    }
  }
}

function refsOf({ namespace, tls }: IngressObject): IngressRef[] {
  return tls.flatMap(({ secretName: name }) => (name === '' ? [] : [{ namespace, name }]));
}

function keyOf({ namespace, name }: IngressRef): string {
  return `${namespace}/${name}`;
}
