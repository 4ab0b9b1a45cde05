import { pino } from 'pino';
import { type RegistryServer, startRegistryServer } from '../compose.ts';
import { readConfig } from '../config.ts';

/** A registry server for one test, on a free port, without log output. Flags as on the command line. */
export async function startTestServer(...flags: string[]): Promise<RegistryServer> {
  const quick = ['--port=0', '--warm-up-ms=0', '--shutdown-ms=50', '--max-writes-per-second=0'];
  // A test may block its own process, which the server shares.
  quick.push('--max-loop-delay-ms=0');
  const config = readConfig([...quick, ...flags], {});
  return startRegistryServer(config, { logger: pino({ level: 'silent' }), version: '0.0.0' });
}

/** One event of a stream. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

/** Reads a server-sent event stream and keeps all events. */
export class StreamReader {
  readonly events: StreamEvent[] = [];
  readonly #abort = new AbortController();
  isOver = false;
  status = 0;

  /** Opens a stream; resolves with the head of the response. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<StreamReader> {
    const reader = new StreamReader();
    const response = await fetch(url, { headers, signal: reader.#abort.signal });
    reader.status = response.status;
    void reader.#read(response).catch(() => (reader.isOver = true));
    return reader;
  }

  of(event: string): Record<string, unknown>[] {
    return this.events.filter((one) => one.event === event).map(({ data }) => data);
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.events.push(eventOf(block));
    }
    this.isOver = true;
  }
}

function eventOf(block: string): StreamEvent {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  return {
    event: field('event') ?? '',
    id: field('id'),
    data: JSON.parse(field('data') ?? '{}') as Record<string, unknown>,
  };
}
