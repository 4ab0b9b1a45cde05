type Fetch = (url: string | Request, init: RequestInit) => Promise<Response>;

/** Whether the `fetch` of this process takes a dispatcher; that of Deno takes none, and knows no requests of undici. */
export const takesDispatcher = process.versions['deno'] === undefined;

/** The `fetch` of undici. */
export async function undiciFetch(): Promise<Fetch> {
  const { fetch } = await import('undici/lib/web/fetch/index.js');
  return fetch as unknown as Fetch;
}
