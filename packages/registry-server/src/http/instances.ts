import type { Registry } from '../registry/registry.ts';
import { answer } from './answer.ts';
import type { Binder } from './call.ts';

interface InstanceParams {
  readonly ns: string;
  readonly svc: string;
  readonly id: string;
}

const refOf = ({ ns, svc, id }: InstanceParams) => ({ namespace: ns, service: svc, id });

/** The calls that change instances. */
export function bindInstances(binder: Binder, registry: Registry, maxPerSecond: number): void {
  const options = { maxPerSecond };
  binder.bind(
    'register',
    async ({ caller, params, query, body, reply }) =>
      answer(reply, await registry.register(caller, refOf(params), body, query.takeover)),
    options,
  );
  binder.bind(
    'patchInstance',
    async ({ caller, params, query, body, reply }) =>
      answer(reply, await registry.patch(caller, refOf(params), body, query.lease)),
    options,
  );
  binder.bind(
    'deregister',
    async ({ caller, params, query, reply }) =>
      answer(reply, await registry.deregister(caller, refOf(params), query)),
    { ...options, priority: 'vital' },
  );
  binder.bind(
    'putOverride',
    async ({ params, body, reply }) => answer(reply, await registry.override(refOf(params), body)),
    options,
  );
  binder.bind(
    'deleteOverride',
    async ({ params, reply }) => answer(reply, await registry.liftOverride(refOf(params))),
    options,
  );
}
