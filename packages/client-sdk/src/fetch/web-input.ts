/** Whether an object is one of the web's by name: those of another copy of undici have classes of their own. */
const isNamed = (given: unknown, name: string): boolean =>
  typeof given === 'object' &&
  given !== null &&
  (given as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === name;

export const isRequest = (given: unknown): given is Request => isNamed(given, 'Request');

/** Whether the body can be made again from what was given: everything but a stream. */
export function isStatic(body: unknown): boolean {
  if (typeof body === 'string' || body instanceof URLSearchParams || body instanceof Blob)
    return true;
  return body instanceof ArrayBuffer || ArrayBuffer.isView(body) || isNamed(body, 'FormData');
}

/**
 * The init as the fetch of this process takes it: a FormData of another copy of undici would be sent as the words
 * `[object FormData]`, and a stream needs a word more.
 */
export function initOf(init: RequestInit): RequestInit {
  const { body } = init;
  if (body === undefined || body === null) return init;
  if (!isNamed(body, 'FormData') || body instanceof FormData) return { duplex: 'half', ...init };
  const form = new FormData();
  for (const [name, value] of body as unknown as Iterable<[string, string | File]>)
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, value.name);
  return { ...init, body: form };
}

/** What another copy of undici made, as the init of a request of this process. */
export function initOfRequest(request: Request): RequestInit {
  const { method, body, signal, redirect } = request;
  const headers: [string, string][] = [...request.headers];
  return { method, headers, signal, redirect, ...(body === null ? {} : { body, duplex: 'half' }) };
}
