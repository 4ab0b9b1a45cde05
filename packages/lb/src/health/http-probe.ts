import { urlHostOf } from '@rollcall/daemon';
import { isLocalFault } from '@rollcall/dataplane';
import { Agent, type Dispatcher, request } from 'undici';
import type { HealthCheckConfig } from '../config/schema.ts';
import { parseStatusCodes } from '../config/status-codes.ts';
import { type Clock, deadline } from '@rollcall/runtime';
import type { Probe, ProbeAddress, ProbeResult } from './probe.ts';

/** Limit for a health check's response: a larger one would cost the balancer too much. */
const MAX_BODY_BYTES = 1_048_576;

function tooLarge(path: string): ProbeResult {
  return { isGood: false, detail: `GET ${path} answered with more than ${MAX_BODY_BYTES} bytes` };
}

/** How a probe reaches targets. */
export interface ProbeWay {
  readonly scheme: 'http' | 'https';
  /** Makes the connections: a new one for each check, whatever other checks are running. */
  readonly dispatcher: Dispatcher;
}

const plainWay = (): ProbeWay => ({
  scheme: 'http',
  dispatcher: new Agent({ pipelining: 0, connections: null }),
});

/** Sends a GET request, each time on a new connection, and checks only the status code. */
export class HttpProbe implements Probe {
  readonly #config: HealthCheckConfig;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #isGood: (status: number) => boolean;
  readonly #way: ProbeWay;

  /** `way`: its dispatcher may change. @default plain HTTP */
  constructor(config: HealthCheckConfig, clock: Pick<Clock, 'after'>, way: ProbeWay = plainWay()) {
    this.#config = config;
    this.#clock = clock;
    this.#isGood = parseStatusCodes(config.codes) ?? (() => false);
    this.#way = way;
  }

  async probe({ host, port }: ProbeAddress): Promise<ProbeResult> {
    const { path, codes, timeoutMs } = this.#config;
    const authority = `${urlHostOf(host)}:${this.#config.port ?? port}`;
    const signal = deadline(this.#clock, timeoutMs);
    const { scheme, dispatcher } = this.#way;
    try {
      const { statusCode, body } = await request(`${scheme}://${authority}${path}`, {
        dispatcher,
        headers: { 'user-agent': 'rollcall-lb-health-check', connection: 'close' },
        signal,
      });
      // The complete response must arrive in time; it is discarded.
      let bytes = 0;
      for await (const piece of body) {
        bytes += (piece as Buffer).length;
        if (bytes > MAX_BODY_BYTES) return tooLarge(path);
      }
      const isGood = this.#isGood(statusCode);
      const expected = isGood ? '' : `, expected ${codes}`;
      return { isGood, detail: `GET ${path} answered ${statusCode}${expected}` };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = signal.aborted ? `nothing within ${timeoutMs} ms` : (code ?? message);
      const result = { isGood: false, detail: `GET ${path} on ${authority}: ${why}` };
      return isLocalFault(code ?? '') ? { ...result, isLocalFault: true } : result;
    }
  }
}
