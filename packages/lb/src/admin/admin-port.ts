import { type AdminParts, BrowserGuard, createAdminServer, listenAdmin } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import type { Config } from '../config/schema.ts';
import { remedyOf } from '../listeners/listen-failure.ts';
import { ChangeRefused } from '../config/change-refused.ts';
import { NO_STEP, type Step } from '../reload/step.ts';

type AdminConfig = Config['admin'];

/** The old port may still be answering the request that asked for the new one, in ms. */
const LAST_ANSWERS_MS = 1_000;

/** The admin port, which may move under way. */
export class AdminPort {
  address = '';
  readonly #parts: Omit<AdminParts, 'allowHosts'>;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #guard = new BrowserGuard();
  #config: AdminConfig | undefined;
  readonly #open = new Set<() => Promise<unknown>>();

  constructor(parts: Omit<AdminParts, 'allowHosts'>, clock: Pick<Clock, 'after'>) {
    this.#parts = parts;
    this.#clock = clock;
  }

  /** @throws StartError when its address cannot be bound. */
  async prepare(next: AdminConfig): Promise<Step> {
    const last = this.#config;
    if (last?.host === next.host && last.port === next.port) {
      return next === last ? NO_STEP : { commit: () => this.#apply(next), undo() {} };
    }
    const admin = createAdminServer({ ...this.#parts, allowHosts: this.#guard });
    const close = async (): Promise<void> => {
      await admin.close();
    };
    const address = await this.#listen(admin, next);
    return {
      commit: () => {
        for (const old of this.#open) this.#clock.after(LAST_ANSWERS_MS, () => this.#end(old));
        this.#open.add(close);
        this.#apply(next);
        this.address = address;
      },
      undo: close,
    };
  }

  async close(): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    await Promise.all(open.map((close) => close()));
  }

  async #listen(admin: ReturnType<typeof createAdminServer>, next: AdminConfig): Promise<string> {
    if (next.port !== 0 && next.port === this.#config?.port) {
      const message = `admin.host: it cannot move to ${next.host} and keep its port ${next.port}`;
      throw new ChangeRefused(`${message}: change the port too, or restart`, ['admin', 'host']);
    }
    return listenAdmin(admin, next, remedyOf('admin')).catch((error: Error) => {
      throw new ChangeRefused(error.message, ['admin', 'port']);
    });
  }

  #end(close: () => Promise<unknown>): void {
    this.#open.delete(close);
    void close();
  }

  #apply(next: AdminConfig): void {
    this.#config = next;
    this.#guard.setAllowHosts(next.allowHosts);
  }
}
