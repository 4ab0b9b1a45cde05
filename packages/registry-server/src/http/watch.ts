import { ProblemError, WatchPosition } from '@rollcall/contract';
import { SELF } from '../picture/instances/own-service.ts';
import type { Picture } from '../picture/picture.ts';
import type { WarmUp } from '../upkeep/warm-up.ts';
import { ownerOf } from '../access/caller.ts';
import type { WatchHub } from '../watch/hub.ts';
import type { Binder, Call } from './call.ts';
import type { Pace } from './load/pace.ts';
import { Places } from './load/places.ts';
import { checkLoaded } from './loaded.ts';
import { awaitRevision, checkWarm } from './reads.ts';

export interface WatchSources {
  readonly picture: Picture;
  readonly hub: WatchHub;
  readonly warmUp: WarmUp;
  readonly maxWatches: number;
  /** 0 = no limit. */
  readonly maxWatchesPerToken: number;
  /** Of streams that begin with snapshots. @default no limit */
  readonly snapshotPace?: Pace | undefined;
  readonly isClosing: () => boolean;
}

/** Where to resume: the query, else what a browser's EventSource sends by itself. */
function positionOf(
  { since, mark }: { readonly since?: string | undefined; readonly mark?: string | undefined },
  header: unknown,
): { readonly revision: string; readonly mark: string | undefined } | undefined {
  const given = since ?? (typeof header === 'string' && header !== '' ? header : undefined);
  if (given === undefined) return undefined;
  if (!WatchPosition.safeParse(given).success) {
    throw new ProblemError('invalid_request', 'expected an id as the registry gave it', {
      field: 'last-event-id',
    });
  }
  const [revision = '', own] = given.split('-');
  return { revision, mark: own ?? mark };
}

/** Throws `overloaded` when too many streams begin with snapshots: all clients come back at once after a restart. */
function checkPace(pace: Pace | undefined): void {
  const retryAfterSeconds = pace?.take();
  if (retryAfterSeconds === undefined) return;
  const message = 'many watches begin at once: expected this one after Retry-After';
  throw new ProblemError('overloaded', message, { retryAfterSeconds });
}

/** Throws when something of what is asked for is not known yet, or cannot be asked for. */
function checkInterest(
  { picture, warmUp }: Pick<WatchSources, 'picture' | 'warmUp'>,
  namespace: string,
  services: readonly string[] | undefined,
): void {
  if (namespace === '*' && services !== undefined) {
    const message = 'expected no service with namespace *: it is about all of them';
    throw new ProblemError('invalid_request', message, { field: 'service' });
  }
  for (const service of services ?? []) {
    if (picture.service(namespace, service) === undefined) warmUp.check(service);
    checkWarm(picture, warmUp, { namespace, service });
  }
  // To look through all services is for those alone who ask for all.
  if (services !== undefined) return;
  const isBare = picture.servicesOf(namespace).every(({ service }) => service === SELF.service);
  if (isBare) warmUp.check('any service');
}

/** The watch stream. */
export function bindWatch(binder: Binder, sources: WatchSources): void {
  const { picture, hub, maxWatches, maxWatchesPerToken, isClosing } = sources;
  const places = new Places({
    kind: 'watch',
    most: maxWatches,
    option: '--max-watches',
    mostPerToken: maxWatchesPerToken,
    onOverQuota: () => hub.totals.overQuota++,
  });
  binder.bind('watch', async ({ query, headers, caller, stream }) => {
    if (isClosing()) throw new ProblemError('shutting_down', 'watch at another server');
    const owner = ownerOf(caller);
    // Before the pace: who is refused takes nothing of what all share.
    await places.take(owner, async () => {
      checkLoaded(picture);
      const since = positionOf(query, headers['last-event-id']);
      await awaitRevision(picture, since?.revision);
      const { namespace, service: services } = query;
      checkInterest(sources, namespace, services);
      const resumesAt = since && { revision: Number(since.revision), mark: since.mark };
      if (resumesAt === undefined || !hub.canResume(resumesAt)) checkPace(sources.snapshotPace);
      const interest = { namespace, services: services && [...new Set(services)] };
      const opened = stream();
      hub.subscribe(opened, interest, { since: resumesAt, owner });
      return opened;
    });
  });
  const extend = async ({ params, query, body, caller }: Call<'extendWatch'>) => {
    const { namespace } = query;
    checkLoaded(picture);
    checkInterest(sources, namespace, body.services);
    // Showing the whole namespace costs as much as a new stream, so the same pace holds.
    if (body.services === undefined) checkPace(sources.snapshotPace);
    const services = body.services && [...new Set(body.services)];
    const subscription = { id: params.stream, owner: ownerOf(caller) };
    if (hub.extend(subscription, { namespace, services })) return;
    const message = `this server has no watch stream of that name over namespace ${namespace}`;
    throw new ProblemError('watch_unknown', message, { field: 'stream' });
  };
  // It is answered with pictures as reads are, so under load it is refused together with them.
  binder.bind('extendWatch', extend, { priority: 'read' });
}
