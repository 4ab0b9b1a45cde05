import { z } from 'zod';
import { isHostPattern } from './host-patterns.ts';
import { logLevelOption } from './log-level.ts';
import { spec } from './option-spec.ts';

/** What every program takes whose admin port is `--metrics`. `prefix`: of its variables, as in `ROLLCALL_DNS`. */
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
