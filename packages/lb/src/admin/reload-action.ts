import type { AdminAnswer } from '@rollcall/daemon';
import type { Reloader, ReloadState } from '../reload/reloader.ts';

/** `POST /reload`: applies the configuration file, and answers with what changed or why not. */
export async function reloadAction(reloader: Reloader): Promise<AdminAnswer> {
  const outcome = await reloader.reload('POST /reload');
  if (outcome.result === 'applied') return { status: 200, body: outcome };
  const { errors } = outcome;
  const title = 'The configuration is refused, the one before stays in use';
  const problem = { status: 422, code: 'config_refused', title, detail: errors.join('\n'), errors };
  return { problem };
}

/** What `/readyz` tells of the configuration. */
export function readinessDetails({ loadedMs, refused }: ReloadState): object {
  return {
    configuration: {
      loaded: new Date(loadedMs).toISOString(),
      ...(refused === undefined
        ? {}
        : { refused: new Date(refused.atMs).toISOString(), errors: refused.errors }),
    },
  };
}
