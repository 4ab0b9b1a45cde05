import { z } from 'zod';
import { object, ratio, text } from './fields.ts';

export const AccessLog = object({
  /** `stdout`, `off` or a file that is appended to. @default stdout */
  file: text('stdout, off or the path of a file').default('stdout'),
  /**
   * `json`: an object for each request, without query and header fields. `combined`: the lines of Apache and nginx, with
   * the query, `Referer` and `User-Agent`, which may contain secrets. @default json
   */
  format: z.enum(['json', 'combined'], { error: 'expected json or combined' }).default('json'),
  /** Share of the requests that are logged, drawn at random. Those with a status from 500 on are all logged. @default 1 */
  sample: ratio.default(1),
});

export type AccessLogConfig = z.output<typeof AccessLog>;
