import type { ProgramMetrics, Sample } from '@rollcall/daemon';
import type { FrontReport, HandshakeReport } from '../front/front-report.ts';
import type { BalancerTls } from '../tls/balancer-tls.ts';
import { labelOf } from '../tls/certificate-label.ts';

/** Metrics of https listeners; a balancer without any has none of them. */
export function addTlsMetrics(
  metrics: ProgramMetrics,
  tls: BalancerTls,
  read: () => Pick<FrontReport, 'handshakes'>,
): void {
  addHandshakeMetrics(metrics, () => Object.entries(read().handshakes));
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
  metrics.gauge(expiry, function* samples(): Generator<Sample> {
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

function addHandshakeMetrics(
  metrics: ProgramMetrics,
  read: () => readonly [string, HandshakeReport][],
): void {
  const complete = {
    name: 'tls_handshakes_total',
    help: 'TLS handshakes completed with clients; resumed ones are cheaper.',
    labelNames: ['listener', 'resumed'],
  };
  metrics.counter(complete, function* samples(): Generator<Sample> {
    for (const [listener, { full, resumed }] of read()) {
      yield [full, { listener, resumed: 'no' }];
      yield [resumed, { listener, resumed: 'yes' }];
    }
  });
  const failed = {
    name: 'tls_handshake_failures_total',
    help: 'TLS handshakes with clients that failed, by reason.',
    labelNames: ['listener', 'reason'],
  };
  metrics.counter(failed, function* samples(): Generator<Sample> {
    for (const [listener, { faults }] of read()) {
      for (const [reason, count] of Object.entries(faults)) {
        yield [count, { listener, reason }];
      }
    }
  });
  const underWay = {
    name: 'tls_handshakes_in_progress',
    help: 'TLS handshakes with clients that are neither complete nor failed.',
    labelNames: ['listener'],
  };
  metrics.gauge(underWay, function* samples(): Generator<Sample> {
    for (const [listener, handshakes] of read()) {
      yield [handshakes.underWay, { listener }];
    }
  });
}
