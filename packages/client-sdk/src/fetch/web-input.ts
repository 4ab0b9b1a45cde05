/** Checks a web object by its name: another copy of undici has its own classes, so `instanceof` would fail. */
const isNamed = (given: unknown, name: string): boolean =>
  typeof given === 'object' &&
  given !== null &&
  (given as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === name;

export const isRequest = (given: unknown): given is Request => isNamed(given, 'Request');

/** Whether the body can be sent again from the given value: everything but a stream. */
export function isStatic(body: unknown): boolean {
  if (typeof body === 'string' || body instanceof URLSearchParams || body instanceof Blob)
    return true;
  return body instanceof ArrayBuffer || ArrayBuffer.isView(body) || isNamed(body, 'FormData');
}

/**
 * Adapts the init for this process's fetch, which would send a FormData of another copy of undici as the text `[object
 * FormData]`, and requires `duplex` for a stream.
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

/** Converts a Request of another copy of undici to the init of a request of this process. */
export function initOfRequest(request: Request): RequestInit {
  const { method, body, signal, redirect } = request;
  const headers: [string, string][] = [...request.headers];
  return { method, headers, signal, redirect, ...(body === null ? {} : { body, duplex: 'half' }) };
}
