import { z } from 'zod';
import { isFieldName, isProtectedField } from './field-names.ts';
import { integer, label, ms, object, text } from './fields.ts';
import { networks } from './networks.ts';
import { isPathPattern } from './path-fields.ts';

const HOST_PATTERN = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?$/i;
const HOST_VALUE = /^[a-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/i;
const TARGET_PATH = /^\/[!-"$->@-~]*$/;
const VALUE = /^[\x20-\x7e]*$/;

const fieldName = z
  .string({ error: 'expected the name of a header field' })
  .refine(isFieldName, { error: 'expected the name of a header field' });
const editableName = fieldName.refine((name) => !isProtectedField(name), {
  error: 'expected a field that frames no message and is not for one connection alone',
});
const fieldValue = z
  .string({ error: 'expected text' })
  .regex(VALUE, { error: 'expected visible ASCII and spaces' });
const names = <S extends z.ZodType>(each: S, what: string) =>
  z.array(each, { error: `expected a list of ${what}` }).min(1, { error: `expected ${what}` });

const newHost = z
  .string({ error: 'expected a host' })
  .regex(HOST_VALUE, { error: 'expected a host' });
const newPath = z
  .string({ error: 'expected a path' })
  .regex(TARGET_PATH, { error: 'expected a path that begins with /, without query' });

const FixedResponse = object({
  /** Status code. */
  status: integer(200, 599, 'a status code'),
  /** Sent unchanged. @default a problem document */
  body: z.string({ error: 'expected text' }).optional(),
  /** Media type of the body. @default text/plain; charset=utf-8 */
  contentType: text('a media type')
    .regex(/^[\x20-\x7e]+$/, { error: 'expected a media type' })
    .default('text/plain; charset=utf-8'),
});

const Redirect = object({
  /** `https` or `http`. @default that of the request; https if it is nothing but `redirect: https` */
  scheme: z.enum(['http', 'https'], { error: 'expected http or https' }).optional(),
  /** Host in the new address. @default that of the request */
  host: newHost.optional(),
  /** Port in the new address. @default for https that of the https listener, else 443; whoever stays keeps its port */
  port: integer(1, 65_535, 'a port').optional(),
  /** Path in the new address; `$1` is the first group of the rule's regular expression. @default that of the request */
  path: newPath.optional(),
  /** Takes the place of the prefix that the rule is for. @default it stays */
  prefix: newPath.optional(),
  /** Query in the new address, without `?`; empty: none. @default that of the request */
  query: z
    .string({ error: 'expected a query' })
    .regex(/^[!-"$-~]*$/, { error: 'expected a query' })
    .optional(),
  /** Status code. @default 301 for GET and HEAD, 308 for other methods, which must stay what they are */
  status: z
    .literal([301, 302, 303, 307, 308], { error: 'expected one of 301, 302, 303, 307, 308' })
    .optional(),
});

const Weighted = object({
  /** Name of a target group. */
  targetGroup: text('the name of a target group'),
  /** Its share of the requests, in relation to the others; 0: none. @default 1 */
  weight: integer(0, 1_000_000).default(1),
});

const GroupStickiness = object({
  /** Name of the cookie. @default rollcall-group */
  cookie: text('the name of a cookie')
    .refine(isFieldName, { error: 'expected the name of a cookie' })
    .default('rollcall-group'),
  /** How long a client keeps its group, in ms; 0: until the browser ends. @default 3600000 */
  maxAgeMs: ms(0).default(3_600_000),
});

/** What can be done with a request; exactly one of them. */
export const action = {
  /** Name of a target group. */
  targetGroup: text('the name of a target group').optional(),
  /** Several target groups, each with its share of the requests: a canary. */
  forward: names(Weighted, 'target groups').optional(),
  /** With `forward`: a client keeps the group that it got first, by a signed cookie. @default each request is a draw */
  groupStickiness: GroupStickiness.optional(),
  /** Answers the request here instead. */
  fixedResponse: FixedResponse.optional(),
  /** `https`: sends the client to the same address over https. A mapping changes how. */
  redirect: z
    .union([z.literal('https').transform(() => Redirect.parse({ scheme: 'https' })), Redirect], {
      error: 'expected https, or a mapping with scheme, host, port, path, prefix, query or status',
    })
    .optional(),
};

const FieldChanges = object({
  /** Fields that are set to these values, whatever was sent. */
  set: z.record(editableName, fieldValue, { error: 'expected values by name' }).default({}),
  /** Lines that are added. */
  add: z.record(editableName, fieldValue, { error: 'expected values by name' }).default({}),
  /** Names of fields that are not passed on. */
  remove: z.array(editableName, { error: 'expected a list of names' }).default([]),
});

const Rewrite = object({
  /** Host that the target sees; `X-Forwarded-Host` still has the one that was sent. @default that of the request */
  host: newHost.optional(),
  /** Path that the target sees; `$1` is the first group of the rule's regular expression. @default that of the request */
  path: newPath.optional(),
  /** Takes the place of the prefix that the rule is for; `/` removes it. @default it stays */
  prefix: newPath.optional(),
});

const RateLimit = object({
  /** Requests per second, of each key. */
  requestsPerSecond: z
    .number({ error: 'expected a number above 0' })
    .positive({ error: 'expected a number above 0' }),
  /** Requests that may come at once. @default two seconds' worth, at least 1 */
  burst: integer(1, 10_000_000).optional(),
  /** Whom the limit is for: each `source` address, or each value of a header field. @default source */
  by: z
    .union([z.literal('source'), object({ header: fieldName })], {
      error: 'expected source, or a mapping with header',
    })
    .default('source'),
});

const BasicAuth = object({
  /** A file with a line for each user, as `rollcall-lb --hash-password NAME` prints it. */
  usersFile: text('a file'),
  /** What browsers show. @default restricted */
  realm: z
    .string({ error: 'expected text' })
    .regex(/^[ !#-[\]-~]+$/, { error: 'expected text without quotes' })
    .default('restricted'),
});

const Jwt = object({
  /** Where the keys are: an http(s) url of a JWKS, fetched and kept. */
  jwks: z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// url' }),
  /** Who must have issued the token (`iss`). */
  issuer: text('an issuer'),
  /** For whom the token must be (`aud`). @default anybody */
  audience: text('an audience').optional(),
  /** Signature algorithms. @default RS256, PS256, ES256, EdDSA */
  algorithms: names(
    z.enum(
      ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
      {
        error: 'expected an asymmetric algorithm such as RS256',
      },
    ),
    'algorithms',
  ).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  /** Claims that the target gets as header fields: field by claim. @default none */
  forward: z
    .record(text('the name of a claim'), editableName, { error: 'expected fields by claim' })
    .default({}),
});

const ForwardAuth = object({
  /** Asked for each request, with GET and the fields of the request; 2xx lets it pass, other answers go to the client. */
  url: z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// url' }),
  /** Fields of its answer that the target gets, in place of those that the client sent. @default none */
  forward: z.array(editableName, { error: 'expected a list of names' }).default([]),
  /** Longest time for its answer; then the client gets a 503. @default 5000 */
  timeoutMs: ms().default(5_000),
});

/** What is done on the way to the action. */
const gates = {
  /** Requests beyond it get a 429. With `workers` it is that of all together. */
  rateLimit: RateLimit.optional(),
  /** Name and password of a user. */
  basicAuth: BasicAuth.optional(),
  /** A bearer token, signed by somebody who is trusted. */
  jwt: Jwt.optional(),
  /** Somebody who is asked whether a request may pass. */
  forwardAuth: ForwardAuth.optional(),
  /** Longest body; a longer one gets a 413. Of a body in chunks their framing counts too. @default any length */
  bodyBytes: integer(0, 1_000_000_000_000, 'bytes').optional(),
  /** Changes host and path before a target gets the request. */
  rewrite: Rewrite.optional(),
  /** Changes header fields of requests. */
  requestHeaders: FieldChanges.optional(),
  /** Changes header fields of the answers of targets. */
  responseHeaders: FieldChanges.optional(),
};

const Text = z.union(
  [
    z.string(),
    object({ regex: text('a regular expression') }),
    object({ present: z.boolean({ error: 'expected true or false' }) }),
  ],
  { error: 'expected a value, or a mapping with regex or present' },
);

const path = (what: string) => z.string({ error: what }).regex(TARGET_PATH, { error: what });

const Path = z.union(
  [
    z
      .string({ error: 'expected a path' })
      .refine(isPathPattern, { error: 'expected a path like /exact or /prefix/*, without query' }),
    object({ exact: path('expected a path that begins with /, without query') }),
    object({ prefix: path('expected a path that begins with /, without query') }),
    object({
      glob: path('expected a path that begins with /, with *, ** and ?').or(
        z.string().startsWith('/'),
      ),
    }),
    object({ regex: text('a regular expression') }),
  ],
  { error: 'expected a path, or a mapping with exact, prefix, glob or regex' },
);

export const Rule = object({
  /** Name for the log and for `explain`. @default its place in the list */
  name: label('a name').optional(),
  /** Rules with one go before those without, the lowest number first. @default the most specific rule applies */
  priority: integer(1, 1_000_000).optional(),
  /** `shop.example` or `*.example` (any depth below, not `example` itself). Absent: any host. */
  host: z
    .string({ error: 'expected a host name' })
    .regex(HOST_PATTERN, { error: 'expected a host name, possibly with "*." before it' })
    .optional(),
  /** How many labels `*.` of `host` stands for: `one`, as in a certificate, or `any` number of them. @default any */
  hostDepth: z.enum(['one', 'any'], { error: 'expected one or any' }).optional(),
  /**
   * `/exact`, or `/prefix/*` for `/prefix` and everything below; or a mapping with `exact`, `prefix`, `glob` (`*`: anything
   * but `/`, `**`: anything) or `regex` (of the whole path). Absent: any path.
   */
  path: Path.optional(),
  /** One of these methods. @default any */
  methods: names(
    z
      .string({ error: 'expected a method' })
      .regex(/^[A-Z]+$/, { error: 'expected a method such as GET' }),
    'methods',
  ).optional(),
  /** Header fields with these values, or with a mapping: `regex` (of the whole value) or `present`. @default any */
  headers: z.record(fieldName, Text, { error: 'expected values by name' }).optional(),
  /** Parameters of the query, as for `headers`. @default any */
  query: z.record(z.string(), Text, { error: 'expected values by name' }).optional(),
  /** Networks from which the client comes, such as 10.0.0.0/8. @default any */
  sources: networks.optional(),
  ...gates,
  ...action,
});

export type RuleConfig = z.output<typeof Rule>;
export type RewriteConfig = z.output<typeof Rewrite>;
export type FieldChangesConfig = z.output<typeof FieldChanges>;
export type RateLimitConfig = z.output<typeof RateLimit>;
export type JwtConfig = z.output<typeof Jwt>;
export type ForwardAuthConfig = z.output<typeof ForwardAuth>;
