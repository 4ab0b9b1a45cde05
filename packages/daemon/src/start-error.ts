/** The system does not allow the start. The message names the option that helps. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already',
  EACCES: 'this user may not listen there (ports below 1024 need a privilege)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};

/** `remedy`: the options that set the address, e.g. `--host or --port`. */
export function bindFailure(
  { host, port }: { readonly host: string; readonly port: number },
  remedy: string,
  error: unknown,
): StartError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const cause = CAUSES[code] ?? message;
  return new StartError(
    `cannot listen on ${host}:${port}: ${cause}; choose another address with ${remedy}`,
    { cause: error },
  );
}
