import { constants } from 'node:os';
import { z } from 'zod';

/** Signals that ask a process to end gracefully. */
const DEPARTURE_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

/** No process hears of the two. */
const UNHEARD: readonly string[] = ['SIGKILL', 'SIGSTOP'];
const SIGNALS = (Object.keys(constants.signals) as NodeJS.Signals[]).filter(
  (signal) => !UNHEARD.includes(signal),
);

/** Signals that a process heeds, or whether it heeds the usual ones; as a list. */
export const SignalChoice = z
  .union([z.boolean(), z.array(z.enum(SIGNALS))], {
    error: 'expected true, false or a list of signals such as SIGTERM',
  })
  .transform((given): readonly NodeJS.Signals[] => {
    if (typeof given === 'boolean') return given ? DEPARTURE_SIGNALS : [];
    return given;
  });
