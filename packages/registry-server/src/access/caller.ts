import { patternsOf } from '../picture/instances/covering.ts';

/** What a token allows. */
export interface Grants {
  readonly isAdmin: boolean;
  /** Namespaces that it may read; `*` = all. */
  readonly read: ReadonlySet<string>;
  /** For a data plane: namespaces whose services it may report about; `*` = all. */
  readonly report: ReadonlySet<string>;
  /** For a load balancer: namespaces of which it may read what Secrets hold; `*` = all. No other scope covers that. */
  readonly secrets: ReadonlySet<string>;
  /** `<namespace>/<service>`; either part may be `*` for all. */
  readonly register: ReadonlySet<string>;
}

/** A caller's token, or the lack of one where none is needed. */
export interface Bearer {
  readonly grants: Grants;
  /** Identifies the token without revealing its text; undefined without a token. */
  readonly token?: string | undefined;
}

/** The origin of a call. */
export interface Caller extends Bearer {
  /** Address of the other end of the connection, without an IPv4-mapped prefix. */
  readonly peerAddress: string;
}

/** Identifies a caller: by its token, else by its address. */
export function keyOf({ token, peerAddress }: Caller): string {
  return token ?? peerAddress;
}

/** Allows everything but reading Secrets: for the server itself, or for every caller when no tokens are set. */
export const EVERYTHING: Grants = Object.freeze({
  isAdmin: true,
  read: new Set(['*']),
  report: new Set(['*']),
  secrets: new Set<string>(),
  register: new Set(['*/*']),
});

/** Whether the grants cover registering under a service. */
export function mayRegister(grants: Grants, namespace: string, service: string): boolean {
  const { isAdmin, register } = grants;
  return isAdmin || patternsOf(namespace, service).some((pattern) => register.has(pattern));
}

/** Whether the grants cover reading a namespace, or reporting about its services; `*` = all namespaces. */
export function mayEnter(
  { isAdmin, ...grants }: Grants,
  what: 'read' | 'report',
  namespace: string,
): boolean {
  return isAdmin || grants[what].has('*') || grants[what].has(namespace);
}

/** Whether the grants cover reading what the Secrets of a namespace hold. An admin is not enough. */
export function mayReadSecrets({ secrets }: Grants, namespace: string): boolean {
  return secrets.has('*') || secrets.has(namespace);
}

/** The services that the grants cover, in the form stored with an instance's labels; undefined = all. */
export function coveredBy({ isAdmin, register }: Grants): readonly string[] | undefined {
  return isAdmin || register.has('*/*') ? undefined : [...register].toSorted();
}

/** This much of a token's digest identifies the token; the rest stays private. */
const OWNER_LENGTH = 16;

/** The owner of an instance or stream, for quotas. Undefined = none: the caller is an admin, or there are no tokens. */
export function ownerOf({ grants, token }: Caller): string | undefined {
  return grants.isAdmin ? undefined : token?.slice(0, OWNER_LENGTH);
}
