import { type ManifestObject, ProblemError } from '@rollcall/contract';
import type { Declaring } from '../writes/declared/declaring.ts';
import { checkHasStatus } from '../writes/declared/status-writer.ts';
import { explain } from '../views/explain.ts';
import { kindOf, labelsOf, type ObjectViews } from '../views/object-views.ts';
import { notFound } from '../writes/declared/writing/refusals.ts';
import type { Reports } from '../writes/declared/reports.ts';
import { type ObjectRef, objectRefOf } from '../picture/declared/object-key.ts';
import type { Picture } from '../picture/picture.ts';
import { answer } from './answer.ts';
import type { RouteBinder } from './bind.ts';
import { checkLoaded } from './loaded.ts';
import { withPeer } from './report-origin.ts';
import { matchesSelector, parseSelector } from './selector.ts';

interface ObjectParams {
  readonly ns: string;
  readonly kind: string;
  readonly name: string;
}

const refOf = ({ ns, kind, name }: ObjectParams) =>
  objectRefOf({ kind: kindOf(kind), namespace: ns, name });

export interface ManifestSources {
  readonly picture: Picture;
  readonly declaring: Declaring;
  readonly views: ObjectViews;
  readonly reports: Reports;
  readonly maxPerSecond: number;
}

/** How many owned objects a deletion waits for; it takes a fraction of a second. */
const WITH_A_DELETION = 200;

/** Binds the routes that declare, read and explain objects, and those of the data planes' reports. */
export function bindManifests(binder: RouteBinder, sources: ManifestSources): void {
  bindDeclaring(binder, sources);
  bindStatus(binder, sources);
  bindObjects(binder, sources);
  bindReports(binder, sources);
}

function bindDeclaring(binder: RouteBinder, sources: ManifestSources): void {
  const { picture, declaring, maxPerSecond } = sources;
  const { declarer, deleter, owned } = declaring;
  const options = { maxPerSecond };
  binder.bind(
    'apply',
    async ({ query, body, reply }) => {
      checkLoaded(picture);
      return answer(reply, await declarer.apply({ ...query, text: body }));
    },
    { ...options, isLong: true },
  );
  binder.bind(
    'putManifest',
    async ({ params, query, body, reply }) => {
      checkLoaded(picture);
      return answer(reply, await declarer.put(refOf(params), body, query));
    },
    options,
  );
  binder.bind(
    'patchManifest',
    async ({ params, query, body, reply }) => {
      checkLoaded(picture);
      return answer(reply, await declarer.patch(refOf(params), body, query));
    },
    options,
  );
  binder.bind(
    'deleteManifest',
    async ({ params, query, reply }) => {
      checkLoaded(picture);
      const deleted = await deleter.delete(refOf(params), query);
      // What it owns goes with it. What is left, or fails, is for the next pass.
      if (!query.dryRun) await owned.collect(WITH_A_DELETION).catch(() => {});
      return answer(reply, deleted);
    },
    options,
  );
}

function bindStatus(binder: RouteBinder, sources: ManifestSources): void {
  const { picture, declaring, views, maxPerSecond } = sources;
  const options = { maxPerSecond };
  binder.bind('readStatus', async ({ params }) => {
    checkLoaded(picture);
    const ref = refOf(params);
    checkHasStatus(ref);
    return found(views, ref);
  });
  binder.bind(
    'putStatus',
    async ({ params, query, body, reply }) => {
      checkLoaded(picture);
      return answer(reply, await declaring.statuses.put(refOf(params), body, query));
    },
    options,
  );
  binder.bind(
    'patchStatus',
    async ({ params, query, body, reply }) => {
      checkLoaded(picture);
      return answer(reply, await declaring.statuses.patch(refOf(params), body, query));
    },
    options,
  );
}

/** Throws `object_not_found`. */
function found(views: ObjectViews, ref: ObjectRef): ManifestObject {
  const object = views.get(ref.kind, ref.namespace, ref.name);
  if (object === undefined) throw notFound(ref);
  return object;
}

function bindObjects(binder: RouteBinder, { picture, views }: ManifestSources): void {
  binder.bind('readManifest', async ({ params }) => {
    checkLoaded(picture);
    return found(views, refOf(params));
  });
  binder.bind(
    'listManifests',
    async ({ params, query }) => {
      checkLoaded(picture);
      const selector = parseSelector(query.selector ?? '');
      const items = views
        .list(kindOf(params.kind), params.ns)
        .filter((object) => matchesSelector(selector, labelsOf(object)));
      const resourceVersion = String(picture.revision);
      return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion }, items };
    },
    { isLong: true },
  );
  binder.bind(
    'explain',
    async ({ params: { ns, svc } }) => {
      checkLoaded(picture);
      const explanation = explain(picture, ns, svc);
      if (explanation !== undefined) return explanation;
      const message = `services "${svc}" not found`;
      throw new ProblemError('service_not_found', message, { field: 'svc' });
    },
    { isLong: true },
  );
}

function bindReports(binder: RouteBinder, sources: ManifestSources): void {
  const { picture, reports, maxPerSecond } = sources;
  const options = { maxPerSecond };
  binder.bind(
    'putReport',
    async ({ params: { ns, svc, reporter }, body, caller, reply }) => {
      checkLoaded(picture);
      const ref = { kind: 'Service', namespace: ns, name: svc, reporter } as const;
      return answer(reply, await reports.put(ref, withPeer(body, caller)));
    },
    options,
  );
  binder.bind(
    'deleteReport',
    async ({ params: { ns, svc, reporter }, reply }) => {
      const ref = { kind: 'Service', namespace: ns, name: svc, reporter } as const;
      return answer(reply, await reports.withdraw(ref));
    },
    options,
  );
  binder.bind('listReports', async ({ params: { ns, svc } }) => {
    checkLoaded(picture);
    return { reports: reports.list(ns, svc) };
  });
  binder.bind(
    'putIngressReport',
    async ({ params: { ns, ingress, reporter }, body, caller, reply }) => {
      checkLoaded(picture);
      const ref = { kind: 'Ingress', namespace: ns, name: ingress, reporter } as const;
      return answer(reply, await reports.put(ref, withPeer(body, caller)));
    },
    options,
  );
  binder.bind(
    'deleteIngressReport',
    async ({ params: { ns, ingress, reporter }, reply }) => {
      const ref = { kind: 'Ingress', namespace: ns, name: ingress, reporter } as const;
      return answer(reply, await reports.withdraw(ref));
    },
    options,
  );
}
