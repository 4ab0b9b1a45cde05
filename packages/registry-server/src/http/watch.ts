import { ProblemError, WatchPosition } from '@rollcall/contract';
import { SELF } from '../picture/instances/own-service.ts';
import type { Picture } from '../picture/picture.ts';
import type { WarmUp } from '../upkeep/warm-up.ts';
import { ownerOf } from '../access/caller.ts';
import type { WatchHub } from '../watch/hub.ts';
import type { Binder, Call } from './call.ts';
import type { RateLimiter } from './load/rate-limiter.ts';
import { StreamSlots } from './load/stream-slots.ts';
import { checkLoaded } from './loaded.ts';
import { awaitRevision, checkWarm } from './reads.ts';

export interface WatchSources {
  readonly picture: Picture;
  readonly hub: WatchHub;
  readonly warmUp: WarmUp;
  readonly maxWatches: number;
  /** 0 = no limit. */
  readonly maxWatchesPerToken: number;
  /** Limits streams that begin with snapshots. @default no limit */
  readonly snapshotPace?: RateLimiter | undefined;
  readonly isClosing: () => boolean;
}

/** Where to resume: from the query, else from the header that a browser's EventSource sends. */
function positionOf(
  { since, digest }: { readonly since?: string | undefined; readonly digest?: string | undefined },
  header: unknown,
): { readonly revision: string; readonly digest: string | undefined } | undefined {
  const given = since ?? (typeof header === 'string' && header !== '' ? header : undefined);
  if (given === undefined) return undefined;
  if (!WatchPosition.safeParse(given).success) {
    throw new ProblemError('invalid_request', 'expected an id as the registry gave it', {
      field: 'last-event-id',
    });
  }
  const [revision = '', own] = given.split('-');
  return { revision, digest: own ?? digest };
}

/** Throws `overloaded` when too many streams begin with snapshots: after a restart all clients come back at once. */
function checkPace(pace: RateLimiter | undefined): void {
  const retryAfterSeconds = pace?.take();
  if (retryAfterSeconds === undefined) return;
  const message = 'too many watches start at once: try again after Retry-After';
  throw new ProblemError('overloaded', message, { retryAfterSeconds });
}

/** Throws when a requested service is not known yet, or the request is invalid. */
function checkInterest(
  { picture, warmUp }: Pick<WatchSources, 'picture' | 'warmUp'>,
  namespace: string,
  services: readonly string[] | undefined,
): void {
  if (namespace === '*' && services !== undefined) {
    const message = 'expected no service with namespace *, which covers all services';
    throw new ProblemError('invalid_request', message, { field: 'service' });
  }
  for (const service of services ?? []) {
    if (picture.service(namespace, service) === undefined) warmUp.throwIfWarming(service);
    checkWarm(picture, warmUp, { namespace, service });
  }
  // Only a request for all services pays for looking through all of them.
  if (services !== undefined) return;
  const isBare = picture.servicesOf(namespace).every(({ service }) => service === SELF.service);
  if (isBare) warmUp.throwIfWarming('any service');
}

/** The watch stream. */
export function bindWatch(binder: Binder, sources: WatchSources): void {
  const { picture, hub, maxWatches, maxWatchesPerToken, isClosing } = sources;
  const places = new StreamSlots({
    kind: 'watch',
    most: maxWatches,
    option: '--max-watches',
    mostPerToken: maxWatchesPerToken,
    onOverQuota: () => hub.totals.overQuota++,
  });
  binder.bind('watch', async ({ query, headers, caller, stream }) => {
    if (isClosing()) throw new ProblemError('shutting_down', 'watch at another server');
    const owner = ownerOf(caller);
    // Before the pace: a refused stream must not use up the shared rate.
    await places.openInSlot(owner, async () => {
      checkLoaded(picture);
      const since = positionOf(query, headers['last-event-id']);
      await awaitRevision(picture, since?.revision);
      const { namespace, service: services } = query;
      checkInterest(sources, namespace, services);
      const resumesAt = since && { revision: Number(since.revision), digest: since.digest };
      if (resumesAt === undefined || !hub.canResume(resumesAt)) checkPace(sources.snapshotPace);
      const interest = { namespace, services: services && [...new Set(services)] };
      const opened = stream();
      hub.subscribe(opened, interest, { since: resumesAt, owner, acknowledges: query.acks });
      return opened;
    });
  });
  const extend = async ({ params, query, body, caller }: Call<'extendWatch'>) => {
    const { namespace } = query;
    checkLoaded(picture);
    checkInterest(sources, namespace, body.services);
    // Snapshots of the whole namespace cost as much as a new stream, so the same pace applies.
    if (body.services === undefined) checkPace(sources.snapshotPace);
    const services = body.services && [...new Set(body.services)];
    const subscription = { id: params.stream, owner: ownerOf(caller) };
    if (hub.extend(subscription, { namespace, services })) return;
    const message = `this server has no watch stream of that name over namespace ${namespace}`;
    throw new ProblemError('watch_unknown', message, { field: 'stream' });
  };
  // The answer costs as much as a read, so under load it is refused together with reads.
  binder.bind('extendWatch', extend, { priority: 'read' });
}
