import type { ProgramMetrics, Sample } from '@rollcall/daemon';
import type { BalancerTls } from '../tls/balancer-tls.ts';
import { labelOf } from '../tls/certificate-label.ts';

/** Metrics of https listeners; a balancer without any has none of them. */
export function addTlsMetrics(metrics: ProgramMetrics, tls: BalancerTls): void {
  addHandshakeMetrics(metrics, tls);
  const reloads = {
    name: 'certificate_reloads_total',
    help: 'Changed certificate files, by whether they are used now or were refused.',
    labelNames: ['outcome'],
  };
  metrics.counter(reloads, () => {
    if (tls.listeners.size + tls.targets.size === 0) return [];
    return Object.entries(tls.reloads).map(([outcome, count]): Sample => [count, { outcome }]);
  });
  const expiry = {
    name: 'certificate_expires_timestamp_seconds',
    help: 'When a certificate of a listener expires, in Unix time.',
    labelNames: ['listener', 'name'],
  };
  metrics.gauge(expiry, function* read(): Generator<Sample> {
    for (const [listener, { certificates }] of tls.listeners) {
      // Of several certificates with the same first name, the one that expires first.
      const latestFirst = certificates.certificates.toSorted(
        (a, b) => b.expiresAtMs - a.expiresAtMs,
      );
      for (const certificate of latestFirst) {
        yield [certificate.expiresAtMs / 1_000, { listener, name: labelOf(certificate) }];
      }
    }
  });
}

function addHandshakeMetrics(metrics: ProgramMetrics, { listeners }: BalancerTls): void {
  const complete = {
    name: 'tls_handshakes_total',
    help: 'TLS handshakes completed with clients; resumed ones are cheaper.',
    labelNames: ['listener', 'resumed'],
  };
  metrics.counter(complete, function* read(): Generator<Sample> {
    for (const [listener, { acceptor }] of listeners) {
      yield [acceptor.counters.full, { listener, resumed: 'no' }];
      yield [acceptor.counters.resumed, { listener, resumed: 'yes' }];
    }
  });
  const failed = {
    name: 'tls_handshake_failures_total',
    help: 'TLS handshakes with clients that failed, by reason.',
    labelNames: ['listener', 'reason'],
  };
  metrics.counter(failed, function* read(): Generator<Sample> {
    for (const [listener, { acceptor }] of listeners) {
      for (const [reason, count] of Object.entries(acceptor.counters.faults)) {
        yield [count, { listener, reason }];
      }
    }
  });
  const underWay = {
    name: 'tls_handshakes_in_progress',
    help: 'TLS handshakes with clients that are neither complete nor failed.',
    labelNames: ['listener'],
  };
  metrics.gauge(underWay, function* read(): Generator<Sample> {
    for (const [listener, { acceptor }] of listeners) {
      yield [acceptor.handshakesUnderWay, { listener }];
    }
  });
}
