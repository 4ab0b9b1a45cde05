import type { ExchangeRecord } from '../model/observer.ts';
import type { RequestView } from '../model/router.ts';
import type { Target } from '../model/target.ts';
import type { RequestHead } from './request-head.ts';

const QUESTION = 63;
const DOT = 46;
const KNOWN_METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'];
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

const NO_FIELDS: readonly string[] = Object.freeze([]);

/** The record that observers see. Filled from a head and reused for each request of a connection. */
export class RequestRecord implements ExchangeRecord, RequestView {
  method = '';
  host = '';
  target = '';
  path = '';
  clientAddress = '';
  status = 0;
  reason = '';
  detail = '';
  rule = '';
  group = '';
  finalTarget: Target | undefined = undefined;
  attempts = 0;
  requestBytes = 0;
  responseBytes = 0;
  responseHeadBytes = 0;
  keptFields: readonly (string | undefined)[] = NO_FIELDS;
  minorVersion = 1;
  durationMs = 0;
  isSecure = false;
  requestId = '';
  #lastHost = '';
  #source: Buffer | undefined;
  #head: RequestHead | undefined;

  get isHead(): boolean {
    return this.method === 'HEAD';
  }

  get isIdempotent(): boolean {
    return IDEMPOTENT.has(this.method);
  }

  /** The Connection value of a response: HTTP/1.1 keeps the connection by default, HTTP/1.0 must be told. */
  connectionOf(keepsAlive: boolean): 'implied' | 'close' | 'keep-alive' {
    if (!keepsAlive) return 'close';
    return this.minorVersion === 0 ? 'keep-alive' : 'implied';
  }

  field(name: string): string | undefined {
    const source = this.#source!;
    const { fields } = this.#head!;
    let value: string | undefined;
    for (let i = 0; i < fields.count; i++) {
      const [start, end] = [fields.lineStart(i), fields.nameEnd(i)];
      if (end - start !== name.length || !isWordOf(source, start, name)) continue;
      const one = source.toString('latin1', fields.valueStart(i), fields.valueEnd(i));
      value = value === undefined ? one : `${value}, ${one}`;
    }
    return value;
  }

  /** Keeps the values of these fields, which cannot be read later. `names`: in lower case. */
  keep(names: readonly string[]): void {
    this.keptFields = names.map((name) => this.field(name));
  }

  clear(clientAddress: string): void {
    this.method = '';
    this.host = '';
    this.target = '';
    this.path = '';
    this.clientAddress = clientAddress;
    this.status = 0;
    this.reason = '';
    this.detail = '';
    this.rule = '';
    this.group = '';
    this.finalTarget = undefined;
    this.attempts = 0;
    this.requestBytes = 0;
    this.responseBytes = 0;
    this.responseHeadBytes = 0;
    this.keptFields = NO_FIELDS;
    this.requestId = '';
    this.minorVersion = 1;
    this.durationMs = 0;
  }

  fill(source: Buffer, head: RequestHead): void {
    this.method = methodOf(source, head.start, head.methodEnd);
    const { hostStart, hostNameEnd } = head;
    // The requests of a connection are mostly for one host.
    if (!isText(source, hostStart, hostNameEnd, this.#lastHost))
      this.#lastHost = hostOf(source, hostStart, hostNameEnd);
    this.host = this.#lastHost;
    const target = source.toString('latin1', head.pathStart, head.targetEnd);
    this.target = target === '' || target.charCodeAt(0) === QUESTION ? `/${target}` : target;
    const query = this.target.indexOf('?');
    this.path = query === -1 ? this.target : this.target.slice(0, query);
    this.minorVersion = head.minorVersion;
    this.#source = source;
    this.#head = head;
  }
}

/** `word`: in lower case. */
function isWordOf(source: Buffer, start: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = source[start + i]!;
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (lower !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** A trailing dot does not change the name. */
function hostOf(source: Buffer, start: number, end: number): string {
  const hasDot = end - start > 1 && source[end - 1] === DOT;
  return source.toString('latin1', start, hasDot ? end - 1 : end).toLowerCase();
}

function isText(source: Buffer, start: number, end: number, text: string): boolean {
  const { length } = text;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (source[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

function methodOf(source: Buffer, start: number, end: number): string {
  for (let i = 0; i < KNOWN_METHODS.length; i++) {
    const method = KNOWN_METHODS[i]!;
    if (isText(source, start, end, method)) return method;
  }
  return source.toString('latin1', start, end);
}
