import type { HttpLimits } from '../model/options.ts';

type SourceRules = Pick<
  HttpLimits,
  'sourceConnections' | 'sourceRequestsPerSecond' | 'sourceBytesPerSecond'
>;

/** Requests that a source may make at once, in seconds of its rate; bytes, in seconds of theirs. */
const REQUEST_BURST_SECONDS = 2;
const BYTE_BURST_SECONDS = 1;

/** What one source may still do. */
export class Source {
  connections = 0;
  readonly #rules: SourceRules;
  #requests: number;
  #bytes: number;
  #atMs: number;

  constructor(rules: SourceRules, nowMs: number) {
    this.#rules = rules;
    this.#requests = rules.sourceRequestsPerSecond * REQUEST_BURST_SECONDS;
    this.#bytes = rules.sourceBytesPerSecond * BYTE_BURST_SECONDS;
    this.#atMs = nowMs;
  }

  /** Whether it may make one more request; then it is counted. */
  takeRequest(nowMs: number): boolean {
    if (this.#rules.sourceRequestsPerSecond === 0) return true;
    this.#fill(nowMs);
    if (this.#requests < 1) return false;
    this.#requests--;
    return true;
  }

  /** Counts bytes that have passed. More may pass than are left: the source waits the longer for the next ones. */
  takeBytes(count: number): void {
    if (this.#rules.sourceBytesPerSecond > 0) this.#bytes -= count;
  }

  /** Whether its connections have to wait. */
  isInDebt(nowMs: number): boolean {
    if (this.#rules.sourceBytesPerSecond === 0 || this.#bytes > 0) return false;
    this.#fill(nowMs);
    return this.#bytes <= 0;
  }

  /** Whether it differs from a source that was never seen. */
  isWorthKeeping(nowMs: number): boolean {
    this.#fill(nowMs);
    const { sourceRequestsPerSecond, sourceBytesPerSecond } = this.#rules;
    return (
      this.connections > 0 ||
      this.#requests < sourceRequestsPerSecond * REQUEST_BURST_SECONDS ||
      this.#bytes < sourceBytesPerSecond * BYTE_BURST_SECONDS
    );
  }

  #fill(nowMs: number): void {
    const seconds = (nowMs - this.#atMs) / 1_000;
    const { sourceRequestsPerSecond, sourceBytesPerSecond } = this.#rules;
    this.#atMs = nowMs;
    this.#requests = Math.min(
      this.#requests + seconds * sourceRequestsPerSecond,
      sourceRequestsPerSecond * REQUEST_BURST_SECONDS,
    );
    this.#bytes = Math.min(
      this.#bytes + seconds * sourceBytesPerSecond,
      sourceBytesPerSecond * BYTE_BURST_SECONDS,
    );
  }
}

/** The sources of a server's clients, each with its share of connections, requests and bytes. */
export class Sources {
  readonly #rules: SourceRules;
  readonly #sources = new Map<string, Source>();

  private constructor(rules: SourceRules) {
    this.#rules = rules;
  }

  /** Undefined when nothing is limited: then nobody is counted. */
  static within(rules: SourceRules): Sources | undefined {
    const { sourceConnections, sourceRequestsPerSecond, sourceBytesPerSecond } = rules;
    const isLimited = sourceConnections + sourceRequestsPerSecond + sourceBytesPerSecond > 0;
    return isLimited ? new Sources(rules) : undefined;
  }

  static areEqual(one: SourceRules, other: SourceRules): boolean {
    return (
      one.sourceConnections === other.sourceConnections &&
      one.sourceRequestsPerSecond === other.sourceRequestsPerSecond &&
      one.sourceBytesPerSecond === other.sourceBytesPerSecond
    );
  }

  /** One more connection from an address. Its source counts it until `leave`, also when there are too many. */
  enter(address: string, nowMs: number): Source {
    const name = sourceOf(address);
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = new Source(this.#rules, nowMs);
      this.#sources.set(name, source);
    }
    source.connections++;
    return source;
  }

  leave(source: Source): void {
    source.connections--;
  }

  hasTooMany(source: Source): boolean {
    const { sourceConnections } = this.#rules;
    return sourceConnections > 0 && source.connections > sourceConnections;
  }

  /** Forgets those that are as if they had never been seen. */
  sweep(nowMs: number): void {
    for (const [name, source] of this.#sources)
      if (!source.isWorthKeeping(nowMs)) this.#sources.delete(name);
  }
}

/** An IPv6 address is one of 2^64 of the same user. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [plain = ''] = address.split('%');
  const [before = '', after] = plain.split('::');
  const groups = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const last = after === '' ? [] : after.split(':');
    // An IPv4 address at the end stands for two groups.
    const lastCount = last.length + (last.at(-1)?.includes('.') === true ? 1 : 0);
    while (groups.length + lastCount < 8) groups.push('0');
    groups.push(...last);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
