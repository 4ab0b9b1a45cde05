import { ChangeRefused } from '../config/change-refused.ts';
import type { Config } from '../config/schema.ts';
import { ListenFailure } from './listen-failure.ts';

/** @throws an error when it is not applied; then nothing has changed. */
type ApplyOnce = (next: Config) => Promise<void>;

/**
 * Applies a configuration in which a listener may need a port that another one still has, such as one that moves to all
 * addresses of the machine. Then that one is removed first, and comes back if the change fails.
 */
export async function applyMoving(last: Config, next: Config, applyOnce: ApplyOnce): Promise<void> {
  try {
    await applyOnce(next);
  } catch (error) {
    const others = last.listeners.filter((one) => !isInTheWay(one, error, next));
    if (others.length === last.listeners.length) throw error;
    await applyOnce({ ...last, listeners: others });
    await applyOnce(next).catch((again: unknown) => goBack(last, again, applyOnce));
  }
}

/** Restores what was in use before, and throws the reason. */
async function goBack(last: Config, reason: unknown, applyOnce: ApplyOnce): Promise<never> {
  await applyOnce(last).catch(({ message }: Error) => {
    const { message: first } = reason as Error;
    throw new ChangeRefused(`${first}; and what was there before is lost: ${message}`, []);
  });
  throw reason;
}

/** Whether a listener that is about to go has the port that could not be bound. */
function isInTheWay(listener: Config['listeners'][number], error: unknown, next: Config): boolean {
  if (!(error instanceof ListenFailure) || !error.isTaken) return false;
  const { host, port } = listener;
  return (
    port === error.port && !next.listeners.some((one) => one.host === host && one.port === port)
  );
}
