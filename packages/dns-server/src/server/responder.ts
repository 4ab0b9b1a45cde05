import { CLASS_ANY, CLASS_IN, RCODE, TYPE } from '../wire/codes.ts';
import { DROP, Query, readQuery } from '../wire/query.ts';
import { type ResponseWriter, isCut, rcodeOf } from '../wire/response-writer.ts';
import type { PreparedAnswer } from '../wire/prepared-answer.ts';
import type { Zone } from '../zone/zone.ts';
import { followAlias } from './alias-follower.ts';
import type { Counters } from '../counting/counters.ts';
import type { Forwarder, Transport } from '../forwarding/forwarder.ts';

export interface ResponderParts {
  readonly zone: Pick<Zone, 'answer' | 'isOwn'>;
  /** Whether the first complete picture of the services has arrived. */
  readonly isReady: () => boolean;
  readonly writer: ResponseWriter;
  readonly counters: Counters;
  /** Undefined: names outside the zone are refused. */
  readonly forwarder: Forwarder | undefined;
  /** Called when answering threw: a bug of this server. */
  readonly onFault: (error: unknown) => void;
}

/** How a query arrived. */
export interface Arrival {
  readonly transport: Transport;
  /** Largest answer for this transport, in bytes; over UDP the client's own limit applies too. */
  readonly maxBytes: number;
}

interface Given {
  readonly prepared: PreparedAnswer;
  readonly reply: (answer: Buffer) => void;
}

/** Turns the bytes of a query into the bytes of its answer, for every transport. */
export class Responder {
  readonly #parts: ResponderParts;
  readonly #query = new Query();

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  /**
   * Answers at once, or calls `reply` later when the query is forwarded. False: the message
   * gets no answer. Does not throw.
   */
  respond(message: Buffer, arrival: Arrival, reply: (answer: Buffer) => void): boolean {
    const { counters, writer, onFault } = this.#parts;
    const query = this.#query;
    try {
      const fault = readQuery(message, query);
      if (fault === DROP) {
        counters.dropped += 1;
        return false;
      }
      if (fault !== 0) {
        this.#send(writer.fault(message, query, fault), reply);
      } else {
        this.#answer(message, arrival, reply);
      }
    } catch (error) {
      counters.faults += 1;
      onFault(error);
      this.#send(writer.fault(message, query, RCODE.SERVFAIL), reply);
    }
    return true;
  }

  /** Tells a client to ask again over TCP, without answering the question. */
  deflect(message: Buffer, reply: (answer: Buffer) => void): void {
    const query = this.#query;
    if (readQuery(message, query) === DROP) return;
    const { writer } = this.#parts;
    this.#send(writer.fault(message, query, RCODE.NOERROR, { isTruncated: true }), reply);
  }

  #answer(message: Buffer, arrival: Arrival, reply: (answer: Buffer) => void): void {
    const { zone, isReady, writer, forwarder } = this.#parts;
    const query = this.#query;
    const { name, type } = query;
    if (!isAnswerable(query)) {
      return this.#send(writer.fault(message, query, RCODE.REFUSED), reply);
    }
    if (!isReady()) {
      // An empty answer would say that the name has no records, and clients would believe it.
      if (forwarder !== undefined && !zone.isOwn(name))
        return this.#forward(message, arrival, reply);
      return this.#send(writer.fault(message, query, RCODE.SERVFAIL), reply);
    }
    const prepared = zone.answer(name, type);
    if (prepared === undefined) {
      if (forwarder !== undefined) return this.#forward(message, arrival, reply);
      return this.#send(writer.fault(message, query, RCODE.REFUSED), reply);
    }
    const canFollow = type === TYPE.A || type === TYPE.AAAA;
    if (prepared.onward !== undefined && forwarder !== undefined && canFollow) {
      return followAlias({ key: name, type, prepared }, forwarder, (followed) =>
        this.#later(message, arrival, { prepared: followed, reply }),
      );
    }
    this.#give(message, arrival, { prepared, reply });
  }

  #give(message: Buffer, arrival: Arrival, { prepared, reply }: Given, query = this.#query): void {
    const { writer } = this.#parts;
    const limit =
      arrival.transport === 'udp' ? Math.min(query.udpBytes, arrival.maxBytes) : arrival.maxBytes;
    this.#send(writer.encode(message, query, prepared, limit), reply);
  }

  /** Reads the query again: by the time the other server answers, the shared Query object holds another one. */
  #later(
    message: Buffer,
    arrival: Arrival,
    { prepared, reply }: { prepared: PreparedAnswer | undefined; reply: Given['reply'] },
  ): void {
    const query = new Query();
    readQuery(message, query);
    if (prepared !== undefined) return this.#give(message, arrival, { prepared, reply }, query);
    this.#send(this.#parts.writer.fault(message, query, RCODE.SERVFAIL), reply);
  }

  #forward(message: Buffer, arrival: Arrival, reply: (answer: Buffer) => void): void {
    this.#parts.forwarder!.ask(message, arrival.transport, (answer) => {
      if (answer !== undefined) return this.#send(answer, reply);
      this.#later(message, arrival, { prepared: undefined, reply });
    });
  }

  #send(answer: Buffer, reply: (answer: Buffer) => void): void {
    const { counters } = this.#parts;
    const rcode = rcodeOf(answer);
    counters.rcodes[rcode] = counters.rcodes[rcode]! + 1;
    if (isCut(answer)) counters.truncated += 1;
    reply(answer);
  }
}

/** Zone transfers and classes other than IN are not supported. */
function isAnswerable({ class: given, type }: Query): boolean {
  return (given === CLASS_IN || given === CLASS_ANY) && type !== TYPE.AXFR && type !== TYPE.IXFR;
}
