import type { Picture, ServicePicture } from '../picture/picture.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { idOf } from './history.ts';

/** What a bookmark says besides where the picture stands. */
export interface BookmarkParts {
  /** Up to here everything was sent. */
  readonly revision: number;
  readonly mark: string;
  readonly isMoving: boolean;
  /** Name of the one stream that it is for; undefined = it is for many. */
  readonly stream: string | undefined;
}

/** Frames that show the picture. A snapshot is encoded once for all who get it. */
export class PictureFrames {
  readonly #picture: Picture;
  #snapshots = new WeakMap<ServicePicture, Frame>();

  constructor(picture: Picture) {
    this.#picture = picture;
  }

  /** The epoch may be another one: what was encoded is not sent again. */
  forget(): void {
    this.#snapshots = new WeakMap();
  }

  snapshot(namespace: string, service: string): Frame {
    const { revision: now, epoch } = this.#picture;
    const known = this.#picture.service(namespace, service);
    const cached = known && this.#snapshots.get(known);
    if (cached !== undefined) return cached;
    const revision = known?.revision ?? now;
    const { declared = null, endpoints = [] } = known ?? {};
    const data = { namespace, service, revision: String(revision), epoch, declared, endpoints };
    // No id: a stream that breaks between two snapshots must not resume as if it had them all.
    const frame = encodeFrame('snapshot', data);
    if (known !== undefined) this.#snapshots.set(known, frame);
    return frame;
  }

  bookmark({ revision, mark, isMoving, stream }: BookmarkParts): Frame {
    const data = {
      revision: String(revision),
      epoch: this.#picture.epoch,
      synced: true,
      applied: String(this.#picture.revision),
      mark,
      storeAgeMs: this.#picture.ageMs(),
      moving: isMoving,
      ...(stream === undefined ? {} : { stream }),
    };
    return encodeFrame('bookmark', data, idOf(revision, mark));
  }
}
