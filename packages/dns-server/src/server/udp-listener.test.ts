import { expect, onTestFinished, test } from 'vitest';
import { askUdp } from '../testing/dns-client.ts';
import { decoded, queryBytes } from '../testing/packets.ts';
import { ResponseWriter } from '../wire/response-writer.ts';
import { createCounters } from '../counting/counters.ts';
import { Responder } from './responder.ts';
import { UdpListener } from './udp-listener.ts';

test('who asks too often is told to come over TCP, by an answer no larger than the question', async () => {
  const counters = createCounters();
  const responder = new Responder({
    zone: {
      answer: () => expect.unreachable('nothing is looked up'),
      isOwn: () => true,
    },
    isReady: () => true,
    writer: new ResponseWriter({ udpBytes: 1_232, isRecursive: false }),
    counters,
    forwarder: undefined,
    onFault: () => {},
  });
  const parts = { responder, counters, limit: { admit: () => false }, udpPayload: undefined };
  const listener = await UdpListener.open(parts, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => void (await listener.close()));
  const query = queryBytes('nginx', 'A', { edns: 1_232 });
  const answer = await askUdp({ host: '127.0.0.1', port: listener.port }, query);
  expect(decoded(answer)).toMatchObject({ flag_tc: true, rcode: 'NOERROR', answers: [] });
  expect(answer.length).toBeLessThanOrEqual(query.length);
  expect(counters).toMatchObject({ limited: 1, udpQueries: 1 });
});

test('an answer that fails to be made is SERVFAIL, and the next one is made', async () => {
  const counters = createCounters();
  const faults: unknown[] = [];
  const responder = new Responder({
    zone: {
      answer: () => {
        throw new Error('broken');
      },
      isOwn: () => true,
    },
    isReady: () => true,
    writer: new ResponseWriter({ udpBytes: 1_232, isRecursive: false }),
    counters,
    forwarder: undefined,
    onFault: (error) => faults.push(error),
  });
  const parts = { responder, counters, limit: { admit: () => true }, udpPayload: undefined };
  const listener = await UdpListener.open(parts, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => void (await listener.close()));
  for (let i = 1; i <= 2; i++) {
    const answer = await askUdp({ host: '127.0.0.1', port: listener.port }, queryBytes('a', 'A'));
    expect(decoded(answer).rcode).toBe('SERVFAIL');
    expect(faults).toHaveLength(i);
  }
});
