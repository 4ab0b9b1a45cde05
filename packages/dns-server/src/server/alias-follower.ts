import { readAddressAnswer } from '../wire/answer-reader.ts';
import { RCODE } from '../wire/codes.ts';
import { type PreparedAnswer, prepareAnswer } from '../wire/prepared-answer.ts';
import { writeQuery } from '../wire/query-writer.ts';
import type { Forwarder, Transport } from '../forwarding/forwarder.ts';

const UDP_BYTES = 1_232;

/** A question for a name that is an alias of a name outside the zone. */
export interface AliasQuestion {
  /** Key of the requested name. */
  readonly key: string;
  readonly type: number;
  readonly prepared: PreparedAnswer;
}

/**
 * Asks other servers for the target of an alias: stub resolvers of programs expect addresses and do not follow aliases
 * themselves. Calls `done` with the aliases and the addresses, or with undefined when there is no usable answer.
 */
export function followAlias(
  { key, type, prepared }: AliasQuestion,
  forwarder: Forwarder,
  done: (answer: PreparedAnswer | undefined) => void,
): void {
  const { target, answers } = prepared.onward!;
  const query = writeQuery(target, type, UDP_BYTES);
  const ask = (transport: Transport): void =>
    forwarder.ask(query, transport, (bytes) => {
      const found = bytes && readAddressAnswer(bytes);
      if (found?.isTruncated === true && transport === 'udp') return ask('tcp');
      const isAnswer = found?.rcode === RCODE.NOERROR || found?.rcode === RCODE.NXDOMAIN;
      if (found === undefined || !isAnswer) return done(undefined);
      const { rcode, records } = found;
      done(prepareAnswer(key, { rcode, answers: [...answers, ...records] }));
    });
  ask('udp');
}
