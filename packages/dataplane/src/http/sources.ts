import type { HttpLimits } from '../model/options.ts';
import type { SourceUse } from './shared-use.ts';

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
  /** Its connections to other processes that share the limits. */
  elsewhere = 0;
  readonly #rules: SourceRules;
  #spentRequests = 0;
  #spentBytes = 0;
  #toldConnections = 0;
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
    this.#spentRequests++;
    return true;
  }

  /** Counts bytes that have passed. More may pass than are left: the source waits the longer for the next ones. */
  takeBytes(count: number): void {
    if (this.#rules.sourceBytesPerSecond === 0) return;
    this.#bytes -= count;
    this.#spentBytes += count;
  }

  /** Whether its connections have to wait. */
  isInDebt(nowMs: number): boolean {
    if (this.#rules.sourceBytesPerSecond === 0 || this.#bytes > 0) return false;
    this.#fill(nowMs);
    return this.#bytes <= 0;
  }

  /** Others have not been told of all that it has done. */
  get isUntold(): boolean {
    return this.connections !== this.#toldConnections || this.#spentRequests + this.#spentBytes > 0;
  }

  /** Whether it differs from a source that was never seen. */
  isWorthKeeping(nowMs: number): boolean {
    this.#fill(nowMs);
    const { sourceRequestsPerSecond, sourceBytesPerSecond } = this.#rules;
    return (
      this.connections + this.elsewhere > 0 ||
      this.#requests < sourceRequestsPerSecond * REQUEST_BURST_SECONDS ||
      this.#bytes < sourceBytesPerSecond * BYTE_BURST_SECONDS
    );
  }

  /** What it has done since the last time; undefined: nothing. */
  takeUse(name: string): SourceUse | undefined {
    if (!this.isUntold) return undefined;
    const { connections } = this;
    const use = { name, connections, requests: this.#spentRequests, bytes: this.#spentBytes };
    this.#toldConnections = connections;
    this.#spentRequests = 0;
    this.#spentBytes = 0;
    return use;
  }

  /** What it has done elsewhere counts here too. More than what was left: it waits the longer. */
  applyUse({ connections, requests, bytes }: SourceUse, nowMs: number): void {
    this.#fill(nowMs);
    this.elsewhere = connections;
    this.#requests -= requests;
    this.#bytes -= bytes;
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
  /** Other processes have the same limits. */
  #isShared = false;

  private constructor(rules: SourceRules) {
    this.#rules = rules;
  }

  /** Undefined when nothing is limited: then nobody is counted. */
  static within(rules: SourceRules): Sources | undefined {
    const { sourceConnections, sourceRequestsPerSecond, sourceBytesPerSecond } = rules;
    const isLimited = sourceConnections + sourceRequestsPerSecond + sourceBytesPerSecond > 0;
    return isLimited ? new Sources(rules) : undefined;
  }

  /** One more connection from an address. Its source counts it until `leave`, also when there are too many. */
  enter(address: string, nowMs: number): Source {
    const source = this.#known(sourceOf(address), nowMs);
    source.connections++;
    return source;
  }

  leave(source: Source): void {
    source.connections--;
  }

  hasTooMany(source: Source): boolean {
    const { sourceConnections } = this.#rules;
    return sourceConnections > 0 && source.connections + source.elsewhere > sourceConnections;
  }

  /** What each source has done since the last time, of those that have done anything. */
  takeUse(): SourceUse[] {
    this.#isShared = true;
    return Array.from(this.#sources, ([name, source]) => source.takeUse(name)).filter(
      (use) => use !== undefined,
    );
  }

  /** What sources have done in other processes since the last time. */
  applyUse(uses: Iterable<SourceUse>, nowMs: number): void {
    for (const use of uses) this.#known(use.name, nowMs).applyUse(use, nowMs);
  }

  #known(name: string, nowMs: number): Source {
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = new Source(this.#rules, nowMs);
      this.#sources.set(name, source);
    }
    return source;
  }

  /** Forgets those that are as if they had never been seen. */
  sweep(nowMs: number): void {
    for (const [name, source] of this.#sources) {
      const isOwed = this.#isShared && source.isUntold;
      if (!isOwed && !source.isWorthKeeping(nowMs)) this.#sources.delete(name);
    }
  }
}

/** Whether both give each source the same limits. */
export function hasSameSourceLimits(one: SourceRules, other: SourceRules): boolean {
  return (
    one.sourceConnections === other.sourceConnections &&
    one.sourceRequestsPerSecond === other.sourceRequestsPerSecond &&
    one.sourceBytesPerSecond === other.sourceBytesPerSecond
  );
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
