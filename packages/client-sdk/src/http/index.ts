import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { reachOf } from '../calls/reach.ts';
import type { Rollcall } from '../rollcall.ts';
import { createServiceAgent } from './service-agent.ts';

/**
 * An agent for Node.js's http module, and for everything on top of it: axios, got, superagent, node-fetch. Requests to
 * `http://<service>.rollcall` go to an instance of the service, each to one of its own; requests to other hosts are
 * left alone. A connection that cannot be made is made to another instance. What was sent is not sent again: this is
 * the library's to do, or use `rollcall.service(name).request`.
 *
 * Throws a {@link RollcallError} `invalid_options` for anything but a client.
 */
export function createHttpAgent(rollcall: Rollcall): HttpAgent {
  return createServiceAgent('http', reachOf(rollcall)) as unknown as HttpAgent;
}

/**
 * The same for `https://<service>.rollcall`. The certificates of the instances must match the name of the service; TLS
 * options come from the client's `calls.connect`.
 */
export function createHttpsAgent(rollcall: Rollcall): HttpsAgent {
  return createServiceAgent('https', reachOf(rollcall)) as unknown as HttpsAgent;
}
