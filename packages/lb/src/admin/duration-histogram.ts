import type { Metric } from 'prom-client';
import type { FrontReport } from '../front/front-report.ts';
import { DURATION_BOUNDS, type DurationReport } from '../traffic/duration-buckets.ts';

const NAME = 'rollcall_lb_request_duration_seconds';

/** A histogram whose values are counted elsewhere, in the form that prom-client's registry expects. */
export function createDurationHistogram(read: () => Pick<FrontReport, 'traffic'>): Metric {
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
      values: Object.entries(read().traffic).flatMap(([group, { durations }]) =>
        samplesOf(group, durations),
      ),
    }),
    reset() {},
  };
  return metric as unknown as Metric;
}

function samplesOf(group: string, durations: DurationReport) {
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
