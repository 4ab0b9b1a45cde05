/** A program that `rollcall NAME` runs in this process. */
interface Program {
  readonly name: string;
  /** One line for the help text. */
  readonly summary: string;
  /** Runs it with its own command line; it ends the process itself where it has to. */
  readonly run: (argv: readonly string[]) => Promise<void>;
}

/** Each is loaded only when it runs: a short command should not wait for four servers to load. */
export const PROGRAMS: readonly Program[] = [
  {
    name: 'dev',
    summary: 'Start everything on this machine: all four servers, three instances and a client',
    run: async (argv) => (await import('./dev/dev.ts')).runDev(argv),
  },
  {
    name: 'registry',
    summary: 'Start a registry server',
    run: async (argv) => (await import('@rollcall/registry-server')).runRegistry(argv),
  },
  {
    name: 'lb',
    summary: 'Start a load balancer',
    run: async (argv) => (await import('@rollcall/lb')).runLoadBalancer(argv),
  },
  {
    name: 'node-proxy',
    summary: 'Serve cluster IPs, node ports and external IPs on this machine',
    run: async (argv) => (await import('@rollcall/node-proxy')).runNodeProxy(argv),
  },
  {
    name: 'dns',
    summary: 'Start a DNS server',
    run: async (argv) => (await import('@rollcall/dns-server')).runDnsServer(argv),
  },
];
