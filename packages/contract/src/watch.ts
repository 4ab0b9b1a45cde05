import { z } from 'zod';
import { DeclaredService } from './declared.ts';
import { Endpoint } from './endpoint.ts';
import { Revision } from './instance.ts';
import { ServiceName } from './names.ts';

/** Id of a watch stream at the server that sends it. A caller that knows it may add services to the stream. */
export const WatchId = z
  .string()
  .regex(/^[0-9a-f]{32}$/, { error: 'expected the `stream` of a bookmark of a watch' });

/** How many services one call can add. */
export const MAX_TAKEN_UP = 1_000;

/** The services to add to a watch stream; every service of its namespace when none is named. */
export const WatchExtension = z
  .strictObject({ services: z.array(ServiceName).min(1).max(MAX_TAKEN_UP).optional() })
  .meta({ id: 'WatchExtension' });

/** How many streams one call can acknowledge for. */
const MAX_ACKS = 1_000;

/** What watchers have applied, by stream. */
export const Acknowledgements = z
  .strictObject({
    acks: z
      .array(z.strictObject({ stream: WatchId, revision: Revision }))
      .min(1)
      .max(MAX_ACKS),
  })
  .meta({ id: 'Acknowledgements' });

/** Whether watchers know that an instance drains. */
export const DrainSight = z
  .object({
    /** All watchers that acknowledge, at all servers, have applied it. */
    seen: z.boolean(),
    /** Watchers of this server that have not acknowledged it. */
    watchers: z.int(),
    /** Other servers that have not reported that theirs have. */
    servers: z.int(),
  })
  .meta({ id: 'DrainSight' });

/**
 * The watch stream (server-sent events). The `id:` of a `change` or `bookmark` is a position to resume from: a revision
 * and the digest of everything up to it. Clients give it back unchanged.
 *
 * A stream begins with one `snapshot` per service and a `bookmark` with `synced: true`. If it resumes, the missed
 * changes come first instead. `compacted` says that it cannot resume: what the snapshots up to the next synced bookmark
 * do not name no longer exists. A service with neither endpoints nor a declaration does not exist.
 *
 * The revisions of one service always increase. A change of a flapping endpoint may be held back for a moment and
 * follow newer changes of other services; until then no `id` and no bookmark claims that it was sent.
 */
export const SnapshotEvent = z
  .object({
    namespace: z.string(),
    service: z.string(),
    revision: Revision,
    /** Identity of the store's data; a new one means that the store was emptied or replaced. */
    epoch: z.string(),
    /** The declaration from its manifest; null = not declared. */
    declared: DeclaredService.nullable().default(null),
    endpoints: z.array(Endpoint),
  })
  .meta({ id: 'SnapshotEvent' });
export type SnapshotEvent = z.output<typeof SnapshotEvent>;

/** The changes of one service; `removes` are endpoint ids. */
export const ChangeEvent = z
  .object({
    namespace: z.string(),
    service: z.string(),
    revision: Revision,
    /** The first revision of a change that merges several changes of a flapping endpoint. */
    first: Revision.optional(),
    /** Present when it changed. */
    declared: DeclaredService.nullable().optional(),
    upserts: z.array(Endpoint),
    removes: z.array(z.string()),
  })
  .meta({ id: 'ChangeEvent' });
export type ChangeEvent = z.output<typeof ChangeEvent>;

/** Everything up to `revision` has been sent. Also serves as the ping of the stream. */
export const BookmarkEvent = z
  .object({
    revision: Revision,
    epoch: z.string(),
    synced: z.boolean(),
    /** What this server has seen: more than `revision` while it holds back changes of flapping endpoints. */
    applied: Revision.optional(),
    /** Digest of everything up to `revision`. A client that resumes gives it back, since stores can lose a past. */
    digest: z.string().default(''),
    /** ms since the store last confirmed the registry's picture. */
    storeAgeMs: z.int(),
    /** Set when the server is shutting down: move to another one now. */
    moving: z.boolean(),
    /** Id for adding services to the stream; in the first bookmark, and in the one after `compacted`. */
    stream: WatchId.optional(),
  })
  .meta({ id: 'BookmarkEvent' });
export type BookmarkEvent = z.output<typeof BookmarkEvent>;

/** The stream cannot resume from `since`: snapshots follow. */
export const CompactedEvent = z
  .object({
    revision: Revision,
    reason: z.string(),
    /**
     * `since` belongs to a past that the store lost: the snapshots are valid even if their revisions are lower than the
     * known ones.
     */
    isLost: z.boolean().default(false),
  })
  .meta({ id: 'CompactedEvent' });
export type CompactedEvent = z.output<typeof CompactedEvent>;

/**
 * From here on the stream also covers these services, or every one of the namespace when none is named. Their snapshots
 * follow; what the snapshots up to the next synced bookmark do not name does not exist.
 */
export const ExtendedEvent = z
  .object({ namespace: z.string(), services: z.array(z.string()).optional() })
  .meta({ id: 'ExtendedEvent' });
export type ExtendedEvent = z.output<typeof ExtendedEvent>;

/** Names of the events of a watch stream. */
export const WATCH_EVENTS = ['snapshot', 'change', 'bookmark', 'compacted', 'extended'] as const;

/** The longest silence of a watch stream, in ms. */
export const WATCH_PING_MS = 5_000;

/** First event of a hold stream, then a ping at least every {@link WATCH_PING_MS}. */
export const HoldEvent = z
  .object({
    /** Leases bound to this connection. */
    held: z.array(z.string()),
    /** The store does not know these: register again. */
    unknown: z.array(z.string()),
    /** Another process has these: never register again without being asked to. */
    superseded: z.array(z.string()),
  })
  .meta({ id: 'HoldEvent' });
export type HoldEvent = z.output<typeof HoldEvent>;
