import {
  ChangeEvent,
  Endpoint,
  isDialable,
  PortNumber,
  SnapshotEvent,
  Weight,
} from '@rollcall/contract';
import { z } from 'zod';
import type { Runtime } from '../base/runtime.ts';

/** An endpoint that can be called. The registry accepts no other, but an older or faulty registry may send one. */
const UsableEndpoint = Endpoint.extend({
  address: z.string().refine(isDialable, { error: 'expected an address to connect to' }),
  port: PortNumber,
  weight: Weight,
});

const AnySnapshot = SnapshotEvent.extend({ endpoints: z.array(z.unknown()) });
const AnyChange = ChangeEvent.extend({ upserts: z.array(z.unknown()) });
const Named = z.object({ id: z.string() });

/** Reports an endpoint that cannot be used: which one, and why. */
export type OnUnusable = (id: string, why: string) => void;

/** Parses a snapshot and leaves out unusable endpoints. Throws on data that is not a snapshot. */
export function readSnapshot(data: unknown, onUnusable: OnUnusable): SnapshotEvent {
  const event = AnySnapshot.parse(data);
  return { ...event, endpoints: sifted(event, event.endpoints, onUnusable).usable };
}

/** Parses a change; endpoints that became unusable are removed. Throws on data that is not a change. */
export function readChange(data: unknown, onUnusable: OnUnusable): ChangeEvent {
  const event = AnyChange.parse(data);
  const { usable, unusable } = sifted(event, event.upserts, onUnusable);
  return { ...event, upserts: usable, removes: [...event.removes, ...unusable] };
}

interface Whose {
  readonly namespace: string;
  readonly service: string;
}

function sifted({ namespace, service }: Whose, given: readonly unknown[], onUnusable: OnUnusable) {
  const usable: Endpoint[] = [];
  const unusable: string[] = [];
  for (const one of given) {
    const parsed = UsableEndpoint.safeParse(one);
    if (parsed.success) {
      usable.push(parsed.data);
      continue;
    }
    const id = Named.safeParse(one).data?.id;
    if (id !== undefined) unusable.push(id);
    const [issue] = parsed.error.issues;
    onUnusable(
      `${namespace}/${service}/${id ?? '?'}`,
      `${issue?.path.join('.')}: ${issue?.message}`,
    );
  }
  return { usable, unusable };
}

/** Maximum number of endpoints remembered as reported. */
const REMEMBERED = 1_000;

/** Warns once about each endpoint that is left out. */
export function createUnusableNote({ warn }: Pick<Runtime, 'warn'>): OnUnusable {
  const told = new Set<string>();
  return (id, why) => {
    if (told.has(id) || told.size >= REMEMBERED) return;
    told.add(id);
    warn(`endpoint ${id} is left out of the picture that the registry shows: ${why}`);
  };
}
