import type { InstanceKey } from '@rollcall/contract';
import type { LogPage, StoreHead } from '../log-entry.ts';
import type { MemoryStore } from '../memory/memory-store.ts';
import { isPassing } from '../record.ts';
import {
  type ChangeOutcome,
  type Continuity,
  type GrantOutcome,
  type GrantRequest,
  type HoldOutcome,
  type PutOutcome,
  type PutRequest,
  type RemoveOutcome,
  type RemoveRequest,
  type RenewOutcome,
  type RestoreOutcome,
  type RestoreRequest,
  type RevokeRequest,
  type SecondLook,
  type Store,
  type StoreSnapshot,
  StoreUnavailableError,
  type SweepOutcome,
  type UpdateRequest,
  type Write,
} from '../store.ts';
import type { DurableFile } from './durable-file.ts';
import { durablePartOf } from './durable-part.ts';
import { FileLock } from './file-lock.ts';
import { takeBack } from './take-back.ts';

/**
 * The roll in memory, with its durable part also in a file. A write to that part is answered when the file has it;
 * writes that arrive during a file write share the next one. Leases are only in memory: instances register again.
 */
export class FileStore implements Store {
  readonly #inner: MemoryStore;
  readonly #file: DurableFile;
  readonly #lock: FileLock;
  /** Whether the last write of the file failed. */
  #isBehind = false;
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(inner: MemoryStore, file: DurableFile, lock: FileLock) {
    this.#inner = inner;
    this.#file = file;
    this.#lock = lock;
  }

  /**
   * Reads the file first. Rejects with a DurableFormatError when the file is damaged, with the system's error, or with
   * an error that names the process that uses it.
   */
  static async open(inner: MemoryStore, file: DurableFile): Promise<FileStore> {
    const lock = await FileLock.acquire(file.path);
    try {
      const part = await file.read();
      if (part !== undefined) await inner.restore({ ...part, tombstones: [], floor: 0 });
      // Tests now, not at the first change, whether the file can be written.
      await file.write(durablePartOf(await inner.snapshot()));
      return new FileStore(inner, file, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async grant(request: GrantRequest): Promise<GrantOutcome> {
    if (request.lease !== '') return this.#inner.grant(request);
    return this.#durably({ instanceKeys: [request.instanceKey] }, () => this.#inner.grant(request));
  }

  renew(leases: readonly string[], write: Write): Promise<RenewOutcome> {
    return this.#inner.renew(leases, write);
  }

  hold(lease: string, write: Write): Promise<HoldOutcome> {
    return this.#inner.hold(lease, write);
  }

  suspect(lease: string, hold: number, write: Write & SecondLook): Promise<boolean> {
    return this.#inner.suspect(lease, hold, write);
  }

  /** Checks find their results again after a restart, so only changes of labels or weight wait for the file. */
  async update(request: UpdateRequest): Promise<ChangeOutcome> {
    const { labels, weight } = request.patch;
    const isKept = request.lease === undefined && (labels !== undefined || weight !== undefined);
    if (!isKept) return this.#inner.update(request);
    return this.#durably({ instanceKeys: [request.instanceKey] }, () =>
      this.#inner.update(request),
    );
  }

  async revoke(request: RevokeRequest): Promise<ChangeOutcome> {
    if (request.lease !== undefined) return this.#inner.revoke(request);
    return this.#durably({ instanceKeys: [request.instanceKey] }, () =>
      this.#inner.revoke(request),
    );
  }

  /** Sweeps, but rejects while the file cannot be written: then no durable write can succeed. */
  async expire(write: Write): Promise<SweepOutcome> {
    const outcome = await this.#inner.expire(write);
    if (this.#isBehind) await this.#persist();
    return outcome;
  }

  async put(request: PutRequest): Promise<PutOutcome> {
    const isKept = request.items.some(({ key }) => !isPassing(key));
    if (request.dryRun === true || !isKept) return this.#inner.put(request);
    const keys = request.items.map(({ key }) => key);
    return this.#durably({ keys }, () => this.#inner.put(request));
  }

  async remove(request: RemoveRequest): Promise<RemoveOutcome> {
    if (isPassing(request.key)) return this.#inner.remove(request);
    return this.#durably({ keys: [request.key] }, () => this.#inner.remove(request));
  }

  async restore(request: RestoreRequest): Promise<RestoreOutcome> {
    const outcome = await this.#inner.restore(request);
    await this.#persist();
    return outcome;
  }

  follow(after: number, signal: AbortSignal): Promise<LogPage> {
    return this.#inner.follow(after, signal);
  }

  continuity(position: StoreHead): Promise<Continuity> {
    return this.#inner.continuity(position);
  }

  snapshot(): Promise<StoreSnapshot> {
    return this.#inner.snapshot();
  }

  async close(): Promise<void> {
    await this.#persist().catch(() => {});
    await this.#lock.release();
    await this.#inner.close();
  }

  /**
   * Carries out a write and stores it in the file. If the file cannot be written, the write is undone: the registry
   * never serves what a restart would lose.
   */
  async #durably<T>(
    {
      keys = [],
      instanceKeys = [],
    }: { keys?: readonly string[]; instanceKeys?: readonly InstanceKey[] },
    write: () => Promise<T>,
  ): Promise<T> {
    const before = await this.#inner.snapshot();
    const outcome = await write();
    try {
      await this.#persist();
    } catch (error) {
      await takeBack(this.#inner, before, { keys, instanceKeys });
      throw error;
    }
    return outcome;
  }

  /** Resolves when the file has what is in memory now. */
  async #persist(): Promise<void> {
    try {
      await this.#written();
      this.#isBehind = false;
    } catch (error) {
      this.#isBehind = true;
      const message = `${this.#file.path} cannot be written: ${(error as Error).message}`;
      throw new StoreUnavailableError(message, { cause: error });
    }
  }

  #written(): Promise<void> {
    if (this.#writing === undefined) {
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
      });
      return this.#writing;
    }
    // The file write in progress read its content before this change.
    this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#written();
      });
    return this.#next;
  }

  async #write(): Promise<void> {
    await this.#file.write(durablePartOf(await this.#inner.snapshot()));
  }
}
