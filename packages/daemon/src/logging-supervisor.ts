import { type SupervisorOptions, Supervisor } from './supervisor.ts';

export interface LoggingSupervisorOptions {
  readonly clock: SupervisorOptions['clock'];
  readonly logger: { error(fields: object, message: string): void };
  /** @default nothing is expected */
  readonly isExpected?: SupervisorOptions['isExpected'] | undefined;
}

/** A supervisor that logs each unexpected fault with the name of its loop and its stack. */
export function loggingSupervisor(options: LoggingSupervisorOptions): Supervisor {
  const { clock, logger, isExpected = () => false } = options;
  return new Supervisor({
    clock,
    isExpected,
    onFault: (loop, error) => {
      logger.error({ loop, err: error }, `a fault in the loop ${loop}: it goes on`);
    },
  });
}
