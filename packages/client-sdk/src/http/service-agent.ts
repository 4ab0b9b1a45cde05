import type { Reach } from '../calls/reach.ts';
import {
  type AgentInternals,
  type ClientRequest,
  PlainAgent,
  SecureAgent,
  type SocketOptions,
} from './agent-internals.ts';
import { AgentCall } from './agent-call.ts';

/** As the agent that Node.js itself uses, for hosts that are no services. */
const PLAIN = { keepAlive: true, scheduling: 'lifo', timeout: 5_000 } as const;

function overAgent(Base: typeof PlainAgent, scheme: 'http' | 'https') {
  return class extends Base {
    readonly #reach: Reach;

    constructor(reach: Reach) {
      super(PLAIN);
      this.#reach = reach;
    }

    override addRequest(request: ClientRequest, options: SocketOptions): void {
      try {
        const dispatcher = this.#reach.dispatcherAt(`${scheme}://${options.host ?? ''}`);
        if (dispatcher === undefined) {
          super.addRequest(request, options);
          return;
        }
        new AgentCall(request, options, dispatcher, this.#reach).start();
      } catch (error) {
        // A host below the suffix that names no service, or a client that was closed.
        request.onSocket(null, error as Error);
      }
    }
  };
}

const PlainServiceAgent = overAgent(PlainAgent, 'http');
const SecureServiceAgent = overAgent(SecureAgent, 'https');

/** An agent that sends requests for services to their instances. */
export function createServiceAgent(scheme: 'http' | 'https', reach: Reach): AgentInternals {
  return scheme === 'http' ? new PlainServiceAgent(reach) : new SecureServiceAgent(reach);
}
