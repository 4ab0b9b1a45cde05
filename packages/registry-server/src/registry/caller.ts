/** What a token allows. */
export interface Grants {
  readonly isAdmin: boolean;
  readonly mayRead: boolean;
  /** Of a data plane: may say what became of services. */
  readonly mayReport: boolean;
  /** `*`, `<service>` or `<namespace>/<service>`. */
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
  mayRead: true,
  mayReport: true,
  register: new Set(['*']),
});

/** Whether grants cover registering under a service. */
export function mayRegister(grants: Grants, namespace: string, service: string): boolean {
  const { isAdmin, register } = grants;
  return (
    isAdmin || register.has('*') || register.has(service) || register.has(`${namespace}/${service}`)
  );
}

/** The services that grants cover, as an instance carries them with its labels; undefined = all. */
export function coveredBy({ isAdmin, register }: Grants): readonly string[] | undefined {
  return isAdmin || register.has('*') ? undefined : [...register].toSorted();
}

/** Namespace and name of the service that the registry servers themselves are. */
export const SELF = Object.freeze({ namespace: 'default', service: 'rollcall' });
