import type { Picture, ServicePicture } from '../picture/picture.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { idOf } from './history.ts';

/** The fields of a bookmark that do not come from the picture. */
export interface BookmarkParts {
  /** Everything up to here was sent. */
  readonly revision: number;
  readonly digest: string;
  readonly isMoving: boolean;
  /** Id of the only stream that it is for; undefined = for many. */
  readonly stream: string | undefined;
}

/** Frames that show the picture. A snapshot is encoded once for all receivers. */
export class PictureFrames {
  readonly #picture: Picture;
  #snapshots = new WeakMap<ServicePicture, Frame>();

  constructor(picture: Picture) {
    this.#picture = picture;
  }

  /** Drops all encoded snapshots, because the epoch may be new. */
  clear(): void {
    this.#snapshots = new WeakMap();
  }

  snapshotFrame(namespace: string, service: string): Frame {
    const { revision: now, epoch } = this.#picture;
    const known = this.#picture.service(namespace, service);
    const cached = known && this.#snapshots.get(known);
    if (cached !== undefined) return cached;
    const revision = known?.revision ?? now;
    const { declared = null, endpoints = [] } = known ?? {};
    const data = { namespace, service, revision: String(revision), epoch, declared, endpoints };
    // No id: a stream that breaks between two snapshots must not resume as if it had all of them.
    const frame = encodeFrame('snapshot', data);
    if (known !== undefined) this.#snapshots.set(known, frame);
    return frame;
  }

  bookmark({ revision, digest, isMoving, stream }: BookmarkParts): Frame {
    const data = {
      revision: String(revision),
      epoch: this.#picture.epoch,
      synced: true,
      applied: String(this.#picture.revision),
      digest,
      storeAgeMs: this.#picture.ageMs(),
      moving: isMoving,
      ...(stream === undefined ? {} : { stream }),
    };
    return encodeFrame('bookmark', data, idOf(revision, digest));
  }
}
