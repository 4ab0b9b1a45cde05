/** The outside does not allow what the configuration asks for; the message names the key that changes it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const CAUSES: Record<string, string> = {
  EADDRINUSE: 'something else listens there already',
  EACCES: 'this user may not listen there (ports below 1024 need a privilege)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};

/** `key`: where in the configuration the address stands. */
export function bindFailure(
  key: string,
  { host, port }: { readonly host: string; readonly port: number },
  error: unknown,
): Error {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const cause = CAUSES[code] ?? message;
  return new StartError(
    `cannot listen on ${host}:${port}: ${cause}; choose another address with ${key}.host or ${key}.port (0: any free port)`,
    { cause: error },
  );
}
