import type { Metric } from 'prom-client';
import { DURATION_BOUNDS, type DurationBuckets } from '../traffic/duration-buckets.ts';
import type { TrafficStats } from '../traffic/traffic-stats.ts';

const NAME = 'rollcall_lb_request_duration_seconds';

/** A histogram whose values are counted elsewhere, in the form that prom-client's registry expects. */
export function createDurationHistogram(traffic: TrafficStats): Metric {
  const metric = {
    name: NAME,
    help: 'From the complete head of a request to the last byte of its answer.',
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({
      name: NAME,
      help: metric.help,
      type: 'histogram',
      aggregator: 'sum',
      values: Array.from(traffic.groups, ([group, { durations }]) =>
        samplesOf(group, durations),
      ).flat(),
    }),
    reset() {},
  };
  return metric as unknown as Metric;
}

function samplesOf(group: string, durations: DurationBuckets) {
  let cumulative = 0;
  const buckets = durations.counts.map((count, i) => {
    cumulative += count;
    const le = DURATION_BOUNDS[i] ?? '+Inf';
    return { metricName: `${NAME}_bucket`, labels: { group, le }, value: cumulative };
  });
  return [
    ...buckets,
    { metricName: `${NAME}_sum`, labels: { group }, value: durations.sumSeconds },
    { metricName: `${NAME}_count`, labels: { group }, value: durations.count },
  ];
}
