import { z } from 'zod';
import { DeclaredService } from './declared.ts';
import { Endpoint } from './endpoint.ts';
import { Revision } from './instance.ts';
import { ServiceName } from './names.ts';

/** Names a watch stream at the server that sends it; whoever knows it may take up services there. */
export const WatchId = z
  .string()
  .regex(/^[0-9a-f]{32}$/, { error: 'expected the `stream` of a bookmark of a watch' });

/** Most services that one call takes up. */
export const MAX_TAKEN_UP = 1_000;

/** What a watch stream is to be about besides; every service of its namespace when none is named. */
export const WatchExtension = z
  .strictObject({ services: z.array(ServiceName).min(1).max(MAX_TAKEN_UP).optional() })
  .meta({ id: 'WatchExtension' });

/**
 * The watch stream (server-sent events; `id:` of `change` and `bookmark` is what may be resumed from: a revision and
 * the digest of all before it, to be given back as it is).
 *
 * A stream begins with one `snapshot` for each service and a `bookmark` with `synced: true`, unless it resumes:
 * then the changes missed come first. `compacted` says that the past is gone: what the snapshots up to the next
 * synced bookmark do not name no longer exists. A service that has neither endpoints nor a declaration does not exist.
 *
 * The revisions of one service always increase. A change of an endpoint that flaps may be held back for a moment and come
 * after newer ones of other services; until then no `id` and no bookmark claims that it has been sent.
 */
export const SnapshotEvent = z
  .object({
    namespace: z.string(),
    service: z.string(),
    revision: Revision,
    /** Identity of the store's memory; another one means that the store was emptied or replaced. */
    epoch: z.string(),
    /** What a manifest says of it; null = nobody declared it. */
    declared: DeclaredService.nullable().default(null),
    endpoints: z.array(Endpoint),
  })
  .meta({ id: 'SnapshotEvent' });
export type SnapshotEvent = z.output<typeof SnapshotEvent>;

/** What changed of one service; `removes` are endpoint ids. */
export const ChangeEvent = z
  .object({
    namespace: z.string(),
    service: z.string(),
    revision: Revision,
    /** The first revision that it is about, when several changes of an endpoint that flaps were put into one. */
    first: Revision.optional(),
    /** Given when it changed. */
    declared: DeclaredService.nullable().optional(),
    upserts: z.array(Endpoint),
    removes: z.array(z.string()),
  })
  .meta({ id: 'ChangeEvent' });
export type ChangeEvent = z.output<typeof ChangeEvent>;

/** Everything up to `revision` has been sent; also the ping of the stream. */
export const BookmarkEvent = z
  .object({
    revision: Revision,
    epoch: z.string(),
    synced: z.boolean(),
    /** What this server has seen: beyond `revision` while it holds back changes of endpoints that flap. */
    applied: Revision.optional(),
    /** Digest of the past up to `revision`: whoever resumes from it gives it back, since stores can lose a past. */
    mark: z.string().default(''),
    /** ms since the registry last proved its picture against the store. */
    storeAgeMs: z.int(),
    /** Set when the server is going away: move to another one now. */
    moving: z.boolean(),
    /** Where the stream takes up further services; in the first bookmark, and in the one after `compacted`. */
    stream: WatchId.optional(),
  })
  .meta({ id: 'BookmarkEvent' });
export type BookmarkEvent = z.output<typeof BookmarkEvent>;

/** The stream cannot resume from `since`: snapshots follow. */
export const CompactedEvent = z
  .object({
    revision: Revision,
    reason: z.string(),
    /** `since` is of a past that the store lost: the snapshots hold, even those of lower revisions than are known. */
    isLost: z.boolean().default(false),
  })
  .meta({ id: 'CompactedEvent' });
export type CompactedEvent = z.output<typeof CompactedEvent>;

/**
 * From here on the stream is about these services too, every one of the namespace when none is named: their snapshots
 * follow, and what those up to the next synced bookmark do not name does not exist.
 */
export const ExtendedEvent = z
  .object({ namespace: z.string(), services: z.array(z.string()).optional() })
  .meta({ id: 'ExtendedEvent' });
export type ExtendedEvent = z.output<typeof ExtendedEvent>;

/** Names of the events of a watch stream. */
export const WATCH_EVENTS = ['snapshot', 'change', 'bookmark', 'compacted', 'extended'] as const;

/** A watch stream is silent for no longer than this, in ms. */
export const WATCH_PING_MS = 5_000;

/** First event of a hold stream, then a ping at least every {@link WATCH_PING_MS}. */
export const HoldEvent = z
  .object({
    /** Leases bound to this connection. */
    held: z.array(z.string()),
    /** The store does not know these: register again. */
    unknown: z.array(z.string()),
    /** Someone else has these: never register again by yourself. */
    superseded: z.array(z.string()),
  })
  .meta({ id: 'HoldEvent' });
export type HoldEvent = z.output<typeof HoldEvent>;
