import type { ReplyOf } from '@rollcall/client-sdk';
import { urlHostOf } from '@rollcall/contract';
import { type Context, warn } from './context.ts';

/** How long each server has to answer, in ms. */
const PATIENCE_MS = 2_000;

type Traffic = ReplyOf<'readTraffic'>;

/**
 * What callers reported to any registry server: each knows what was reported to itself alone. Asks the servers of
 * `--registry` and those on the roll. Servers that do not answer are named in a warning.
 * Rejects when no server answers.
 */
export async function trafficOfAll(
  context: Context,
  namespace: string,
): Promise<Traffic['endpoints']> {
  const { rollcall } = context;
  const request = { params: { ns: namespace }, timeoutMs: PATIENCE_MS };
  // Says why, when no server answers or the token covers too little.
  const first = await rollcall.call('readTraffic', request);
  const addresses = await addressesOf(context);
  const answers = await Promise.all(addresses.map((url) => trafficAt(context, url, namespace)));
  const byServer = new Map([[first.server, first]]);
  const silent: string[] = [];
  for (const [i, answer] of answers.entries()) {
    if (answer === undefined) silent.push(addresses[i]!);
    else byServer.set(answer.server, answer);
  }
  // An address may be out of reach from here although its server was asked at another one.
  if (silent.length > 0 && byServer.size < addresses.length) {
    const who = silent.join(', ');
    warn(
      context,
      `rollcall: ${who} did not answer: calls that are reported there alone are missing`,
    );
  }
  return [...byServer.values()].flatMap(({ endpoints }) => endpoints);
}

async function trafficAt(context: Context, url: string, ns: string): Promise<Traffic | undefined> {
  const client = context.clientAt(url);
  try {
    return await client.call('readTraffic', { params: { ns }, timeoutMs: PATIENCE_MS });
  } catch {
    return undefined;
  } finally {
    await client.close();
  }
}

/** The servers on the roll; only the named ones, when the token may not read them. */
async function addressesOf({ rollcall, registryUrl }: Context): Promise<string[]> {
  const named = registryUrl.split(/[,\s]+/).filter((one) => one !== '');
  const { protocol } = new URL(named[0]!);
  try {
    const params = { ns: 'default', svc: 'rollcall' };
    const { endpoints } = await rollcall.call('resolve', { params });
    return endpoints
      .filter(({ ready }) => ready)
      .map(({ address, port }) => `${protocol}//${urlHostOf(address)}:${port}`);
  } catch {
    return named;
  }
}
