import { instanceKeyOf, ProblemError } from '@rollcall/contract';
import type { Clock } from '@rollcall/runtime';
import type { Admission } from '../access/admission.ts';
import { ownerOf } from '../access/caller.ts';
import type { Picture } from '../picture/picture.ts';
import type { Sight } from '../watch/acknowledgements.ts';
import type { WatchHub } from '../watch/hub.ts';
import type { SeenDrains } from '../writes/seen-drains.ts';
import type { Binder } from './call.ts';
import { checkLoaded } from './loaded.ts';
import { awaitRevision } from './reads.ts';

export interface AcknowledgementSources {
  readonly picture: Picture;
  readonly hub: WatchHub;
  readonly seenDrains: SeenDrains;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly maxWritesPerSecond: number;
}

/** The calls by which watchers say what they have applied, and by which an instance that drains learns it. */
export function bindAcknowledgements(binder: Binder, sources: AcknowledgementSources): void {
  const { picture, hub, seenDrains, admission, clock, maxWritesPerSecond: maxPerSecond } = sources;
  binder.bind(
    'acknowledge',
    async ({ body: { acks }, caller }) => {
      const owner = ownerOf(caller);
      const latest = new Map<string, number>();
      for (const { stream, revision } of acks)
        latest.set(stream, Math.max(Number(revision), latest.get(stream) ?? 0));
      // A stream that is over needs no acknowledgement.
      for (const [id, revision] of latest) hub.acknowledge({ id, owner }, revision);
    },
    // A limit of its own: acknowledgements never take the place of registrations.
    { maxPerSecond, rateGroup: 'acks' },
  );
  binder.bind(
    'drainSeen',
    async ({ params: { ns, svc, id }, query: { revision, waitMs }, caller, isGone }) => {
      admission.checkService(caller, { namespace: ns, service: svc, id });
      checkLoaded(picture);
      await awaitRevision(picture, revision);
      const key = instanceKeyOf({ namespace: ns, service: svc, id });
      if (!picture.instancesOf(ns, svc).has(id))
        throw new ProblemError('instance_not_found', `there is no instance ${key}`, {
          field: 'id',
        });
      const sight = () => hub.acknowledgements.sight(key, seenDrains.others());
      const { isSeen, ...missing } = await new Promise<Sight>((resolve) => {
        const look = () => {
          const now = sight();
          if (now.isSeen || hub.acknowledgements.isClosed || isGone()) end(now);
        };
        const end = (seen: Sight) => {
          timer.cancel();
          unlisten();
          resolve(seen);
        };
        const timer = clock.after(waitMs, () => end(sight()));
        const unlisten = hub.acknowledgements.onChange(key, look);
        look();
      });
      return { seen: isSeen, ...missing };
    },
  );
}
