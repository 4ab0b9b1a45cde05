import { patternsOf } from '../picture/instances/covering.ts';

/** What a token allows. */
export interface Grants {
  readonly isAdmin: boolean;
  /** Namespaces that it may read; `*` = all. */
  readonly read: ReadonlySet<string>;
  /** Of a data plane: namespaces of whose services it may say what became of them; `*` = all. */
  readonly report: ReadonlySet<string>;
  /** `<namespace>/<service>`, either of them `*` for all. */
  readonly register: ReadonlySet<string>;
}

/** Who comes with a token, or without one where none is needed. */
export interface Bearer {
  readonly grants: Grants;
  /** Tells its token from others and nothing of its text; undefined without one. */
  readonly token?: string | undefined;
}

/** Who makes a call. */
export interface Caller extends Bearer {
  /** Address of the connection's other end, without an IPv4-mapped prefix. */
  readonly peerAddress: string;
}

/** One caller among others: its token, else its address. */
export function keyOf({ token, peerAddress }: Caller): string {
  return token ?? peerAddress;
}

/** May do everything: the server itself, or anybody when no tokens are set. */
export const EVERYTHING: Grants = Object.freeze({
  isAdmin: true,
  read: new Set(['*']),
  report: new Set(['*']),
  register: new Set(['*/*']),
});

/** Whether grants cover registering under a service. */
export function mayRegister(grants: Grants, namespace: string, service: string): boolean {
  const { isAdmin, register } = grants;
  return isAdmin || patternsOf(namespace, service).some((pattern) => register.has(pattern));
}

/** Whether grants cover reading a namespace, or reporting of its services; of all, for `*`. */
export function mayEnter(
  { isAdmin, ...grants }: Grants,
  what: 'read' | 'report',
  namespace: string,
): boolean {
  return isAdmin || grants[what].has('*') || grants[what].has(namespace);
}

/** The services that grants cover, as an instance carries them with its labels; undefined = all. */
export function coveredBy({ isAdmin, register }: Grants): readonly string[] | undefined {
  return isAdmin || register.has('*/*') ? undefined : [...register].toSorted();
}

/** So much of a token's digest tells tokens apart; the rest is nobody's business. */
const OWNER_LENGTH = 16;

/** Whose an instance or a stream is, for quotas; undefined = nobody's: an admin's, or there are no tokens. */
export function ownerOf({ grants, token }: Caller): string | undefined {
  return grants.isAdmin ? undefined : token?.slice(0, OWNER_LENGTH);
}
