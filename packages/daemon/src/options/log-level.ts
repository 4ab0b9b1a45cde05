import { z } from 'zod';
import { spec } from './option-spec.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** `--log-level`, the same for every program. `env`: its environment variable. */
export const logLevelOption = (env: string) =>
  spec({
    flag: 'log-level',
    env,
    value: 'LEVEL',
    help: `What is logged: ${LOG_LEVELS.slice(0, -1).join(', ')} or silent. Standard output gets JSON lines; a terminal gets readable text.`,
    schema: z
      .enum(LOG_LEVELS, { error: 'expected fatal, error, warn, info, debug, trace or silent' })
      .default('info'),
  });
