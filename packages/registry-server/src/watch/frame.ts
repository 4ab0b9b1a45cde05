/** One server-sent event, encoded once as an HTTP chunk and shared by all receivers. */
export interface Frame {
  readonly chunk: Buffer;
  /** Start and end of the event within the chunk, for the rare HTTP/1.0 reader. */
  readonly from: number;
  readonly to: number;
}

/** Encodes an event. A reader resumes from `id`. */
export function encodeFrame(event: string, data: unknown, id?: string): Frame {
  const head = id === undefined ? '' : `id: ${id}\n`;
  const body = Buffer.from(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const size = Buffer.from(`${body.length.toString(16)}\r\n`);
  const chunk = Buffer.concat([size, body, Buffer.from('\r\n')]);
  return { chunk, from: size.length, to: size.length + body.length };
}
