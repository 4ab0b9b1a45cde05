import { loggingSupervisor, type Supervisor } from '@rollcall/daemon';
import type { FastifyBaseLogger } from 'fastify';
import type { StoreEvents } from './core.ts';
import { RefusedTokens } from './http/refused-tokens.ts';
import type { Unreadable } from './picture/soundness.ts';
import { systemClock, type Clock } from '@rollcall/runtime';
import { StoreUnavailableError } from './store/store.ts';

/** Logs a fault of a loop with its stack. An unavailable store is logged once, by the part that detects it. */
export function supervisorOf({
  clock = systemClock,
  logger,
}: {
  readonly clock?: Clock;
  readonly logger: FastifyBaseLogger;
}): Supervisor {
  const isExpected = (error: unknown) => error instanceof StoreUnavailableError;
  return loggingSupervisor({ clock, logger, isExpected });
}

/** Logs the events about the store. */
export function storeLog(logger: FastifyBaseLogger): StoreEvents {
  let known: Unreadable = new Map();
  return {
    unreadable(records) {
      for (const [record, fault] of records) {
        if (known.get(record) === fault) continue;
        const consequence = 'it is left out; deregister or delete it, or write it anew';
        logger.error({ record, fault }, `an unreadable record: ${consequence}`);
      }
      known = records;
    },
    loaded(isWhole) {
      logger.info({ isWhole }, 'the roll is loaded');
    },
    reachable(isReachable, error) {
      if (isReachable) logger.info('the store is reachable');
      else {
        const consequence = 'reads go on from memory, writes are refused';
        logger.error({ reason: error?.message }, `the store is unreachable: ${consequence}`);
      }
    },
    writable(isWritable, error) {
      if (isWritable) logger.info('the store takes writes');
      else logger.error({ reason: error?.message }, 'the store refuses writes; nobody is evicted');
    },
    restored(taken) {
      logger.warn({ taken }, 'the store had lost its data: restored from this server’s picture');
    },
  };
}

export function refusedTokens(clock: Clock, logger: FastifyBaseLogger): RefusedTokens {
  return new RefusedTokens(clock, (why, call, count) => {
    logger.warn({ why, ...call, count }, 'tokens were refused');
  });
}
