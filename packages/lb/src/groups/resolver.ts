import { promises } from 'node:dns';

/** The addresses of one family. `known` may be empty: the name has none. */
export type FamilyAnswer =
  | { readonly kind: 'known'; readonly addresses: readonly string[] }
  | { readonly kind: 'failed'; readonly reason: string };

export interface AddressAnswer {
  readonly v4: FamilyAnswer;
  readonly v6: FamilyAnswer;
}

/** Asks for the addresses of names. */
export interface Resolver {
  /** Never rejects, and resolves within some seconds: a failure is one of the answers. */
  resolve(name: string): Promise<AddressAnswer>;
  /** What is under way is given up. */
  close(): void;
}

const TRIES = { timeout: 2_000, tries: 2 };
/** There are no such addresses, or there is no such name: the server has answered. */
const NONE = new Set(['ENODATA', 'ENOTFOUND']);

/**
 * Asks name servers over the network, so it does not use Node.js's few threads, which write files too. `servers`: @default
 * those of the system
 */
export function createResolver(servers: readonly string[] | undefined): Resolver {
  const resolver = new promises.Resolver(TRIES);
  if (servers !== undefined) resolver.setServers(servers);
  const answerOf = async (asked: Promise<string[]>): Promise<FamilyAnswer> => {
    try {
      return { kind: 'known', addresses: [...new Set(await asked)] };
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      if (NONE.has(code)) return { kind: 'known', addresses: [] };
      return { kind: 'failed', reason: code === '' ? message : code };
    }
  };
  return {
    async resolve(name) {
      const [v4, v6] = await Promise.all([
        answerOf(resolver.resolve4(name)),
        answerOf(resolver.resolve6(name)),
      ]);
      return { v4, v6 };
    },
    close: () => resolver.cancel(),
  };
}
