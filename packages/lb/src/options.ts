import { logLevelOption, onOff, spec } from '@rollcall/daemon';
import { z } from 'zod';

/** The beginning of the help. */
export const HEAD = `rollcall-lb: an HTTP load balancer over the services of a Rollcall registry

  rollcall-lb --config FILE   start, until SIGTERM or SIGINT
  rollcall-lb --check FILE    only check the file: exit 0, or 2 with every error and its place; warns of rules that
                              can never match, and of certificates that fit no host
  rollcall-lb --explain URL --config FILE   which rule takes a request, and why no other
  rollcall-lb --hash-password NAME          reads a password, prints the line for a file of users
  rollcall-lb --targets [--config FILE]     the targets of a running balancer
  rollcall-lb --history GROUP[/TARGET]      what has happened to them
  rollcall-lb --drain GROUP/TARGET | --undrain GROUP/TARGET
  rollcall-lb --shift-zone ZONE --for 30m | --unshift-zone ZONE

The smallest file:

  registry:
    url: http://127.0.0.1:7400
  listeners:
    - name: web
      port: 8080
      default: { targetGroup: hello }
  targetGroups:
    hello: { service: hello }

A value may name an environment variable: token: \${ROLLCALL_TOKEN}
All keys: packages/lb/README.md. The admin port (127.0.0.1:7480) answers /livez /readyz /metrics /targets /services.
`;

const optional = (what: string) =>
  z
    .string()
    .min(1, { error: `expected ${what}` })
    .optional();

/** Every option of the command line. */
export const OPTIONS = {
  config: spec({
    flag: 'config',
    env: 'ROLLCALL_LB_CONFIG',
    value: 'FILE',
    help: 'The configuration file.',
    schema: z.string().min(1, { error: 'expected a file' }).optional(),
  }),
  check: spec({
    flag: 'check',
    value: 'FILE',
    help: 'Check this configuration file, and do not start.',
    schema: z.string().min(1, { error: 'expected a file' }).optional(),
  }),
  explain: spec({
    flag: 'explain',
    value: 'URL',
    help: 'Says which rule of the configuration takes a request for this URL, and does not start.',
    schema: z
      .url({ protocol: /^https?$/, error: 'expected an http:// or https:// url' })
      .optional(),
  }),
  request: spec({
    flag: 'request',
    value: 'TEXT',
    help: 'With --explain: method and header fields of the request, such as "POST; x-beta: 1; cookie: a=b".',
    schema: z.string().default('GET'),
  }),
  source: spec({
    flag: 'source',
    value: 'ADDRESS',
    help: 'With --explain: address of the client.',
    schema: z.string().default('127.0.0.1'),
  }),
  hashPassword: spec({
    flag: 'hash-password',
    value: 'NAME',
    help: 'Reads a password from standard input, prints the line of a user of that name for a file of users.',
    schema: z
      .string()
      .regex(/^[^:]+$/, { error: 'expected a name without colon' })
      .optional(),
  }),
  targets: spec({
    flag: 'targets',
    help: 'Shows the targets of a running balancer, with their states and the reasons.',
    schema: onOff.default(false),
  }),
  history: spec({
    flag: 'history',
    value: 'GROUP[/TARGET]',
    help: 'Shows what has happened to the targets of a group of a running balancer.',
    schema: optional('GROUP or GROUP/TARGET'),
  }),
  drain: spec({
    flag: 'drain',
    value: 'GROUP/TARGET',
    help: 'A target of a running balancer gets no more requests. TARGET: its id, instance, or address and port.',
    schema: optional('GROUP/TARGET'),
  }),
  undrain: spec({
    flag: 'undrain',
    value: 'GROUP/TARGET',
    help: 'A drained target gets requests again.',
    schema: optional('GROUP/TARGET'),
  }),
  shiftZone: spec({
    flag: 'shift-zone',
    value: 'ZONE',
    help: 'The targets in this zone get no requests for a while, in all groups of a running balancer.',
    schema: optional('a zone'),
  }),
  unshiftZone: spec({
    flag: 'unshift-zone',
    value: 'ZONE',
    help: 'The targets in this zone get requests again.',
    schema: optional('a zone'),
  }),
  for: spec({
    flag: 'for',
    value: 'DURATION',
    help: 'With --shift-zone: for how long, such as 30m.',
    schema: optional('a duration'),
  }),
  force: spec({
    flag: 'force',
    help: 'With --drain and --shift-zone: also if no target is left.',
    schema: onOff.default(false),
  }),
  admin: spec({
    flag: 'admin',
    env: 'ROLLCALL_LB_ADMIN',
    value: 'URL',
    help: 'Admin port of the running balancer that is asked.',
    fallback: 'that of --config, else http://127.0.0.1:7480',
    schema: z.url({ protocol: /^http$/, error: 'expected an http:// url' }).optional(),
  }),
  logLevel: logLevelOption('ROLLCALL_LB_LOG_LEVEL'),
};
