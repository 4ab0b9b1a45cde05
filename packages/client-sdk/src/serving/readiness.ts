import { sleep, within } from '@rollcall/runtime';
import type { Registration } from '../api/registration.ts';
import { RollcallError } from '../base/error.ts';
import { warnOfFault } from '../base/guard.ts';
import type { Runtime } from '../base/runtime.ts';

/** Says whether the instance can take calls. Whatever it throws counts as false. */
export type Readiness = () => boolean | Promise<boolean>;

export interface ReadinessOptions {
  readonly readiness: Readiness;
  /** Pause between two questions, in ms. */
  readonly intervalMs: number;
  /** How long an answer may take, in ms; none by then counts as false. */
  readonly timeoutMs: number;
}

type Answer = { readonly isReady: boolean; readonly trouble?: string };

/** Keeps the status of an instance what its application says, from `starting` on, until the instance leaves. */
export class ReadinessWatch {
  readonly #runtime: Runtime;
  readonly #registration: Registration;
  readonly #options: ReadinessOptions;
  readonly #over = new AbortController();
  #status: 'starting' | 'up' | 'down' = 'starting';
  #isToldOf = false;

  constructor(runtime: Runtime, registration: Registration, options: ReadinessOptions) {
    this.#runtime = runtime;
    this.#registration = registration;
    this.#options = options;
    for (const event of ['draining', 'superseded', 'released'] as const)
      registration.on(event, () => this.#over.abort());
  }

  /** Resolves when the instance leaves. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const { isReady, trouble } = await this.#ask();
      this.#tellOnce(trouble);
      if (!signal.aborted) await this.#apply(isReady);
      await sleep(this.#runtime, this.#options.intervalMs, signal);
    }
  }

  async #ask(): Promise<Answer> {
    const { readiness, timeoutMs } = this.#options;
    try {
      const asked = (async (): Promise<unknown> => readiness())();
      const answer = await within(
        this.#runtime,
        timeoutMs,
        asked.then((given) => ({ given })),
      );
      if (answer === undefined) return { isReady: false, trouble: `no answer in ${timeoutMs} ms` };
      const { given } = answer;
      if (typeof given === 'boolean') return { isReady: given };
      return { isReady: false, trouble: `expected true or false, got ${typeof given}` };
    } catch (error) {
      return { isReady: false, trouble: String(error) };
    }
  }

  /** A change that fails is tried again at the next answer. */
  async #apply(isReady: boolean): Promise<void> {
    const status = isReady ? 'up' : this.#status === 'starting' ? 'starting' : 'down';
    if (status === this.#status) return;
    try {
      await this.#registration.setStatus(status);
      this.#status = status;
    } catch (error) {
      // The client itself tells of a registry that is away.
      if (error instanceof RollcallError) return;
      warnOfFault(this.#runtime, 'setting the status of an instance', error);
    }
  }

  #tellOnce(trouble: string | undefined): void {
    if (trouble !== undefined && !this.#isToldOf) {
      const { namespace, service, id } = this.#registration;
      this.#runtime.warn(
        `the readiness of instance ${id} of ${namespace}/${service} counts as false: ${trouble}`,
      );
    }
    this.#isToldOf = trouble !== undefined;
  }
}
