import type { ProgramMetrics } from '@rollcall/daemon';
import type { WorkersState } from '../front/front.ts';

/** Metrics of the processes that carry requests. */
export function addWorkerMetrics(metrics: ProgramMetrics, state: () => WorkersState): void {
  const workers = {
    name: 'workers',
    help: 'Processes that carry requests: those that serve, and those that should.',
    labelNames: ['state'],
  };
  metrics.gauge(workers, () => {
    const { serving, wanted } = state();
    return [
      [serving, { state: 'serving' }],
      [wanted, { state: 'wanted' }],
    ];
  });
  const lost = 'Workers that ended unasked, and were replaced.';
  metrics.plainCounter('workers_lost_total', lost, () => state().lost);
}
