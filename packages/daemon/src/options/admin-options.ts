import { z } from 'zod';
import { isHostPattern } from './host-patterns.ts';
import { logLevelOption } from './log-level.ts';
import { spec } from './option-spec.ts';

/** Options of every program with the admin port `--metrics`. `prefix`: start of its variables, as in `ROLLCALL_DNS`. */
export const adminOptions = (prefix: string) => ({
  allowHost: spec({
    flag: 'allow-host',
    env: `${prefix}_ALLOW_HOST`,
    value: 'HOST',
    list: 'commas',
    help: 'Host names that requests to the port of --metrics may use in the header Host: names, *.suffix, or * for all. Always allowed: the addresses of this machine, loopback names, and its host name. This keeps web pages out.',
    schema: z
      .array(z.string().refine(isHostPattern, { error: 'expected a host such as *.internal' }))
      .default([]),
  }),
  logLevel: logLevelOption(`${prefix}_LOG_LEVEL`),
});
