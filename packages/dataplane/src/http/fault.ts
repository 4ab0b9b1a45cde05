/** Parsers return a position > 0, INCOMPLETE, or one of these negative numbers. */
export const INCOMPLETE = 0;

export const Fault = {
  startLine: -1,
  target: -2,
  version: -3,
  fieldName: -4,
  spaceBeforeColon: -5,
  obsFold: -6,
  fieldValue: -7,
  bareLf: -8,
  bareCr: -9,
  tooManyFields: -10,
  contentLength: -11,
  transferEncoding: -12,
  lengthAndEncoding: -13,
  host: -14,
  connection: -15,
  expectation: -16,
  connect: -17,
  headTooLarge: -18,
  targetTooLong: -19,
  chunkSize: -20,
  chunkExtension: -21,
  chunkEnd: -22,
  trailer: -23,
  unexpectedUpgrade: -24,
} as const;

export interface FaultDescription {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

function fault(status: number, code: string, detail: string): FaultDescription {
  return { status, code, detail };
}

const DESCRIPTIONS = new Map<number, FaultDescription>([
  [Fault.startLine, fault(400, 'bad_start_line', 'the first line is not "METHOD target HTTP/1.1"')],
  [Fault.target, fault(400, 'bad_target', 'the request target has a form or byte not allowed')],
  [Fault.version, fault(505, 'bad_version', 'only HTTP/1.1 and HTTP/1.0 are spoken here')],
  [
    Fault.fieldName,
    fault(400, 'bad_field_name', 'a header name is empty or has a byte not allowed'),
  ],
  [
    Fault.spaceBeforeColon,
    fault(400, 'bad_field_name', 'white space before the colon of a header'),
  ],
  [Fault.obsFold, fault(400, 'bad_field_line', 'a header line starts with white space')],
  [Fault.fieldValue, fault(400, 'bad_field_value', 'a header value has a control byte')],
  [Fault.bareLf, fault(400, 'bad_line_end', 'a line ends in LF without CR')],
  [Fault.bareCr, fault(400, 'bad_line_end', 'a CR is not followed by LF')],
  [Fault.tooManyFields, fault(431, 'too_many_fields', 'more headers than the limit')],
  [
    Fault.contentLength,
    fault(400, 'bad_content_length', 'Content-Length is not one decimal number'),
  ],
  [
    Fault.transferEncoding,
    fault(400, 'bad_transfer_encoding', 'Transfer-Encoding is not exactly one "chunked"'),
  ],
  [
    Fault.lengthAndEncoding,
    fault(400, 'ambiguous_length', 'Content-Length together with Transfer-Encoding'),
  ],
  [Fault.host, fault(400, 'bad_host', 'Host must be there exactly once and be a host[:port]')],
  [Fault.connection, fault(400, 'bad_connection', 'Connection is not a short list of tokens')],
  [Fault.expectation, fault(417, 'bad_expectation', 'Expect knows only 100-continue')],
  [Fault.connect, fault(501, 'connect_not_supported', 'CONNECT is not served here')],
  [Fault.headTooLarge, fault(431, 'head_too_large', 'the head is larger than the limit')],
  [Fault.targetTooLong, fault(414, 'target_too_long', 'the request line is larger than the limit')],
  [Fault.chunkSize, fault(400, 'bad_chunk', 'a chunk size is not 1 to 13 hexadecimal digits')],
  [Fault.chunkExtension, fault(400, 'bad_chunk', 'a chunk extension is malformed or too long')],
  [Fault.chunkEnd, fault(400, 'bad_chunk', 'a chunk does not end in CR LF')],
  [Fault.unexpectedUpgrade, fault(400, 'unexpected_upgrade', 'protocols were switched unasked')],
  [Fault.trailer, fault(400, 'bad_trailer', 'a trailer is malformed, too long or not allowed')],
]);

export function describeFault(code: number): FaultDescription {
  return DESCRIPTIONS.get(code) ?? fault(400, 'bad_message', 'the message is malformed');
}
