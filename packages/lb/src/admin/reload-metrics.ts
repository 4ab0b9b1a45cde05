import type { ProgramMetrics } from '@rollcall/daemon';
import type { ReloadState } from '../reload/reloader.ts';

/** Metrics of the configuration file. */
export function addReloadMetrics(metrics: ProgramMetrics, read: () => ReloadState): void {
  const reloads = {
    name: 'config_reloads_total',
    help: 'Attempts to apply the configuration file again.',
    labelNames: ['result'],
  };
  metrics.counter(reloads, () => {
    const { applied, refused } = read().counts;
    return [
      [applied, { result: 'applied' }],
      [refused, { result: 'refused' }],
    ];
  });
  const loaded = 'When the configuration in use was read, in Unix time.';
  metrics.level('config_loaded_timestamp_seconds', loaded, () => read().loadedMs / 1_000);
  const refused = '1 while the configuration file was refused last: an older one is in use.';
  metrics.level('config_is_refused', refused, () => (read().refused === undefined ? 0 : 1));
}
