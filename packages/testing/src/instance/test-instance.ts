import { type Registration, Rollcall, RollcallError } from '@rollcall/client-sdk';
import { within } from '@rollcall/runtime';
import type { Activity } from '../clock/activity.ts';
import { type Duration, durationMs } from '../clock/duration.ts';
import { MortalClock } from '../clock/mortal-clock.ts';
import type { TestTime } from '../clock/test-time.ts';
import { Gate } from '../server/gate.ts';
import type { TestInstanceOptions } from './instance-options.ts';
import { InstanceServer } from './instance-server.ts';
import type { ReceivedRequest } from './received-request.ts';

/** What an instance needs of its registry. */
export interface InstanceParts {
  readonly registry: () => URL;
  readonly token: string | undefined;
  readonly namespace: string;
  readonly time: TestTime;
  readonly activity: Activity;
  /** Aborts when the registry is stopped. */
  readonly signal: AbortSignal;
}

/** What ends together with the instance's process, besides its HTTP server. */
interface Life {
  readonly clock: MortalClock;
  /** Its connections to the registry go through it, so that they can be cut. */
  readonly line: Gate;
  readonly registration: Registration;
}

/** How long the connection may take by which the registry notices a death, in ms. */
const HOLD_LIMIT_MS = 1_000;

const SILENT = { info() {}, warn() {} };

/** A small real HTTP server that the SDK keeps on the roll, and that can fail in every way that a process can. */
export class TestInstance {
  readonly id: string;
  readonly service: string;
  readonly #parts: InstanceParts;
  readonly #options: TestInstanceOptions;
  readonly #server: InstanceServer;
  #life: Life | undefined;

  private constructor(
    service: string,
    id: string,
    options: TestInstanceOptions,
    parts: InstanceParts,
  ) {
    this.service = service;
    this.id = id;
    this.#parts = parts;
    this.#options = options;
    const { handler = (_, response) => void response.end(id), port = 0 } = options;
    this.#server = new InstanceServer(port, {
      handler,
      clock: parts.time.clock,
      activity: parts.activity,
    });
  }

  /** Resolves once it is on the roll. Rejects if the registry refuses it or its port is taken. */
  static async start(
    service: string,
    id: string,
    options: TestInstanceOptions,
    parts: InstanceParts,
  ): Promise<TestInstance> {
    const instance = new TestInstance(service, id, options, parts);
    await instance.revive();
    return instance;
  }

  get port(): number {
    return this.#server.port;
  }

  /** e.g. `http://127.0.0.1:41234`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What it received, in the order of arrival, also while it hangs or fails. */
  get requests(): readonly ReceivedRequest[] {
    return this.#server.requests;
  }

  /**
   * As `kill -9`: connections are cut, further ones are refused, and it does not deregister. The registry notices that
   * its connection broke, and evicts it soon.
   */
  async die(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    life?.clock.kill();
    await Promise.all([this.#server.end(), life?.line.close()]);
  }

  /**
   * As a machine that loses its power: it neither answers nor sends heartbeats, but no connection is closed. The
   * registry notices at the end of its TTL.
   */
  vanish(): void {
    this.#life?.clock.kill();
    this.hang();
  }

  /** It accepts requests and never answers; its heartbeats go on. */
  hang(): void {
    this.#server.behaviour = { kind: 'hangs' };
  }

  /** It answers every request after this long, by the registry's clock. */
  slow(duration: Duration): void {
    this.#server.behaviour = { kind: 'slow', ms: durationMs(duration) };
  }

  /** It answers every request with this status and no body. Throws if no answer can have it. */
  fail(statusCode: number): void {
    if (!Number.isInteger(statusCode) || statusCode < 200 || statusCode > 599)
      throw new RollcallError(
        'invalid_options',
        `option statusCode: expected a status of HTTP, 200 to 599, got ${statusCode}`,
        { field: 'statusCode' },
      );
    this.#server.behaviour = { kind: 'fails', statusCode };
  }

  /** It announces that it takes no new calls, and still answers. Resolves once the registry knows. */
  async drain(): Promise<void> {
    const life = this.#life;
    if (life === undefined || life.clock.isDead)
      throw new RollcallError('closed', `${this.id} does not run: revive() it first`);
    await life.registration.setStatus('draining');
  }

  /** It leaves the roll and ends. One that died or vanished has nothing left to say. */
  async leave(): Promise<void> {
    if (this.#life?.clock.isDead === false) await this.#life.registration.deregister();
    await this.die();
  }

  /**
   * It is up and answers again: what hangs, fails, is slow or drains returns to normal; what died, vanished or left
   * starts again at the same port and with the same id, as a new process. Resolves once the registry knows.
   */
  async revive(): Promise<void> {
    this.#server.behaviour = { kind: 'answers' };
    if (this.#life?.clock.isDead === false) {
      await this.#life.registration.setStatus(this.#options.status ?? 'up');
      return;
    }
    await this.die();
    this.#parts.signal.throwIfAborted();
    try {
      await this.#server.start();
      this.#life = await this.#enrol();
    } catch (error) {
      await this.die();
      throw error;
    }
  }

  async #enrol(): Promise<Life> {
    const { registry, token, namespace, time, activity, signal } = this.#parts;
    const { handler: _handler, port: _port, id: _id, ...options } = this.#options;
    const clock = new MortalClock(time.clock);
    const line = await Gate.start({ target: registry, clock: time.clock, activity });
    const rollcall = new Rollcall({
      url: line.url,
      namespace,
      runtime: clock.runtime,
      trafficReportMs: 0,
      logger: SILENT,
      ...(token === undefined ? {} : { token }),
    });
    try {
      const registration = await rollcall.register({
        address: '127.0.0.1',
        ...options,
        service: this.service,
        id: this.id,
        port: this.port,
        signal,
      });
      // Before that, the registry would notice its death only at the end of the TTL.
      await time.finish(within(time.clock, HOLD_LIMIT_MS, line.streamed));
      return { clock, line, registration };
    } catch (error) {
      clock.kill();
      await line.close();
      throw error;
    }
  }
}
