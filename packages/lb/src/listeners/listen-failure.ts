import { bindFailure } from '@rollcall/daemon';
import { ChangeRefused } from '../config/change-refused.ts';
import type { PlannedListener } from './listener-plan.ts';

/** A listener that cannot be opened. */
export class ListenFailure extends ChangeRefused {
  readonly port: number;
  /** Something listens there already. */
  readonly isTaken: boolean;

  constructor({ config, index, fd }: PlannedListener, error: unknown) {
    const { message, code } = error as NodeJS.ErrnoException;
    super(
      fd === undefined
        ? bindFailure(config, remedyOf(`listeners[${index}]`), error).message
        : `listeners[${index}]: the passed socket (descriptor ${fd}): ${message}`,
      ['listeners', index],
      { cause: error },
    );
    this.port = config.port;
    this.isTaken = code === 'EADDRINUSE';
  }
}

/** `key`: path of the address in the configuration. */
export function remedyOf(key: string): string {
  return `${key}.host or ${key}.port (0: any free port)`;
}
