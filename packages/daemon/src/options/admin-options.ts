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
    help: 'Names under which the port of --metrics is asked, besides addresses of this machine, loopback names and its host name: names, *.suffix, or * for every one. It keeps web pages out.',
    schema: z
      .array(z.string().refine(isHostPattern, { error: 'expected a host such as *.internal' }))
      .default([]),
  }),
  logLevel: logLevelOption(`${prefix}_LOG_LEVEL`),
});
