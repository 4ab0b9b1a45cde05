import type { Config } from '../config/schema.ts';
import { labelOf } from '../tls/certificate-label.ts';
import type { Certificate } from '../tls/files/certificate.ts';
import type { IngressFollower } from './ingress-follower.ts';
import { classNotes } from './meant-ingresses.ts';
import { tlsNotes } from './tls-notes.ts';

/** What notes are about. */
export interface NoteSources {
  readonly ingresses: Pick<IngressFollower, 'meant' | 'routes' | 'controllers' | 'secretNotes'>;
  readonly tls: {
    /** By the name of the listener. */
    readonly listeners: ReadonlyMap<
      string,
      { readonly certificates: { readonly certificates: readonly Certificate[] } }
    >;
  };
}

/** What is not as Ingresses have it, a sentence each, for the log. */
export function ingressNotes({ ingress }: Config, { ingresses, tls }: NoteSources): string[] {
  const listeners = (ingress?.listener ?? []).map((name) => {
    const own = tls.listeners.get(name)?.certificates.certificates;
    return [name, own?.map((one) => ({ label: labelOf(one), names: one.names }))] as const;
  });
  return [
    ...(ingress === undefined ? [] : classNotes(ingresses.controllers, ingress)),
    ...(ingresses.routes(ingress)?.notes ?? []),
    ...ingresses.secretNotes(ingress),
    ...tlsNotes(ingresses.meant(ingress) ?? [], new Map(listeners)),
  ];
}
