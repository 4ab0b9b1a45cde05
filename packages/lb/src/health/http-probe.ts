import { Agent, request } from 'undici';
import type { HealthCheckConfig } from '../config/schema.ts';
import { parseStatusCodes } from '../config/status-codes.ts';
import type { Timers } from '../runtime/timers.ts';
import type { Probe, ProbeAddress, ProbeResult } from './probe.ts';

/** Asks for a path with GET, each time on a connection of its own, and looks at the status code alone. */
export class HttpProbe implements Probe {
  readonly #config: HealthCheckConfig;
  readonly #timers: Timers;
  readonly #isGood: (status: number) => boolean;
  readonly #agent: Agent;

  constructor(config: HealthCheckConfig, timers: Timers) {
    this.#config = config;
    this.#timers = timers;
    this.#isGood = parseStatusCodes(config.codes) ?? (() => false);
    this.#agent = new Agent({ pipelining: 0, connections: null });
  }

  async check({ host, port }: ProbeAddress): Promise<ProbeResult> {
    const { path, codes, timeoutMs } = this.#config;
    const authority = `${host.includes(':') ? `[${host}]` : host}:${this.#config.port ?? port}`;
    const signal = this.#timers.deadline(timeoutMs);
    try {
      const { statusCode, body } = await request(`http://${authority}${path}`, {
        dispatcher: this.#agent,
        headers: { 'user-agent': 'rollcall-lb-health-check', connection: 'close' },
        signal,
      });
      // The whole answer has to be there in time, however large; it is thrown away.
      for await (const _ of body);
      const isGood = this.#isGood(statusCode);
      const expected = isGood ? '' : `, expected ${codes}`;
      return { isGood, detail: `GET ${path} answered ${statusCode}${expected}` };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = signal.aborted ? `nothing within ${timeoutMs} ms` : (code ?? message);
      return { isGood: false, detail: `GET ${path} on ${authority}: ${why}` };
    }
  }
}
