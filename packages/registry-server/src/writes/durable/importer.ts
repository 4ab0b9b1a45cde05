import {
  type ImportOutcome,
  type ImportReply,
  ProblemError,
  instanceKeyOf,
  serviceKeyOfInstance,
  type InstanceKey,
} from '@rollcall/contract';
import type { Manifest } from '@rollcall/manifests';
import type { Clock } from '@rollcall/runtime';
import {
  decodeDurable,
  type DurableFileContent,
  durableFileOf,
  type DurablePart,
  durablePartOf,
} from '../../store/durable/durable-part.ts';
import { type Claim } from '../../store/record.ts';
import type { PutItem, Store, StoreSnapshot } from '../../store/store.ts';
import { committed, type Committed } from '../committed.ts';
import type { AddressRules } from '../declared/address-rules.ts';
import { ipv4OfNumber } from '../../picture/declared/ipv4.ts';
import type { Picture } from '../../picture/picture.ts';
import { checkContent, invalidExport } from './check-content.ts';
import { type ImportedInstance, type ImportPlan, isOwn, planImport } from './import-plan.ts';

/** How often an import is planned anew when something else was written meanwhile. */
const TRIES = 5;

/** Instances registered at once. */
const AT_ONCE = 100;

/** Given to an instance without one, so that a process which took its id meanwhile is not thrown out. */
const IMPORT_NONCE = 'imported';

export interface ImporterParts {
  readonly store: Store;
  readonly picture: Picture;
  readonly rules: AddressRules;
  readonly clock: Clock;
  readonly maxInstancesPerService: number;
}

export interface ImportRequest {
  readonly text: string;
  readonly replace: boolean;
  readonly dryRun: boolean;
}

/** Carries the durable part out of a store and into one, whatever kind of store either is. */
export class Importer {
  readonly #parts: ImporterParts;

  constructor(parts: ImporterParts) {
    this.#parts = parts;
  }

  /** What is in the store now, but for what every registry makes itself. */
  async export(): Promise<DurableFileContent> {
    const { resources, instances } = durablePartOf(await this.#parts.store.snapshot());
    return durableFileOf({ resources: resources.filter((one) => !isOwn(one)), instances });
  }

  /**
   * Writes what is missing or, as its revision says, older than in the export. Everything is checked first; declared
   * objects and overrides are then written at once or not at all, instances after them. Twice is as good as once.
   * Throws `invalid_export`, or `import_conflict` naming what is in the way.
   */
  async import(request: ImportRequest): Promise<Committed<ImportReply>> {
    const part = read(request.text);
    checkContent(part);
    this.#checkRanges(part);
    const { store, picture, clock } = this.#parts;
    for (let left = TRIES; left > 0; left--) {
      const snapshot = await store.snapshot();
      const rules = { replace: request.replace, nowMs: Math.floor(clock.wallMs()) };
      const plan = planImport(part, snapshot, rules);
      this.#checkAddresses(plan.puts);
      this.#checkRoom(plan, snapshot);
      const revision = await this.#put(plan.puts, request.dryRun);
      if (revision === undefined) continue;
      const outcomes = new Map(plan.outcomes);
      const last = request.dryRun ? 0 : await this.#register(plan.instances, outcomes);
      const upTo = Math.max(revision, last);
      const reply = {
        dryRun: request.dryRun,
        revision: String(Math.max(upTo, picture.revision)),
        items: [...outcomes].map(([item, outcome]) => ({ item, outcome })),
      };
      return committed(picture, reply, upTo);
    }
    throw new ProblemError('object_changed', 'what is imported is being changed all the time');
  }

  /** Revision of the last one written, 0 = none; undefined = something else was written meanwhile. */
  async #put(items: readonly PutItem[], dryRun: boolean): Promise<number | undefined> {
    if (items.length === 0) return 0;
    const { store, picture, rules } = this.#parts;
    const { pools } = rules;
    const outcome = await store.put({ items, pools, dryRun, floor: picture.revision });
    if (outcome.kind === 'changed') return undefined;
    if (outcome.kind === 'put') return dryRun ? 0 : (outcome.resources.at(-1)?.revision ?? 0);
    const item = items[outcome.index] as PutItem;
    const claim = item.claims?.[outcome.claim] as Claim;
    const owner = outcome.kind === 'taken' ? outcome.owner : 'another';
    throw conflict(`${item.key}: ${claimText(claim)} is held by ${owner}`);
  }

  /** Gives the revision of the last one, and notes what became of those that could not be registered. */
  async #register(
    instances: readonly ImportedInstance[],
    outcomes: Map<string, ImportOutcome>,
  ): Promise<number> {
    let last = 0;
    for (let at = 0; at < instances.length; at += AT_ONCE) {
      const some = await this.#asTheyAre(instances.slice(at, at + AT_ONCE));
      const done = await Promise.all(some.map((one) => this.#grant(one)));
      for (const [i, result] of done.entries()) {
        const { record } = some[i] as ImportedInstance;
        if (typeof result === 'number') last = Math.max(last, result);
        else outcomes.set(`instance/${instanceKeyOf(record)}`, result);
      }
    }
    return last;
  }

  /** A process may have taken the id of a persistent instance since the plan was made: what is there is read again. */
  async #asTheyAre(instances: readonly ImportedInstance[]): Promise<readonly ImportedInstance[]> {
    if (instances.every(({ known }) => known === undefined)) return instances;
    const now = await this.#parts.store.snapshot();
    const roll = new Map(now.instances.map((record) => [instanceKeyOf(record), record]));
    return instances.map(({ record, known }) => {
      return { record, known: known && roll.get(instanceKeyOf(record)) };
    });
  }

  /**
   * Gives its revision, or why it was not registered. What is there is written over under its own nonce, so that the
   * store itself leaves an id alone which a process takes at the last moment. One without a nonce can only be taken
   * over: who registers in the moment since it was read is then thrown out, and registers anew at its next heartbeat.
   */
  async #grant({ record, known }: ImportedInstance): Promise<number | 'live' | 'full'> {
    if (known !== undefined && known.lease !== '') return 'live';
    const { store, picture, maxInstancesPerService } = this.#parts;
    const nonces = [known?.nonce ?? '', record.nonce];
    const outcome = await store.grant({
      instanceKey: instanceKeyOf(record),
      lease: '',
      nonce: nonces.find((nonce) => nonce !== '') ?? IMPORT_NONCE,
      takeover: known?.nonce === '',
      // What it is its checks say, from the first one on.
      body: { ...record.body, status: known?.body.status ?? 'starting' },
      maxInstances: maxInstancesPerService,
      floor: picture.revision,
    });
    if (outcome.kind === 'granted') return outcome.revision;
    return outcome.kind === 'full' ? 'full' : 'live';
  }

  /** An import may not give a service addresses that it could not be declared with. */
  #checkAddresses(puts: readonly PutItem[]): void {
    for (const { key, value } of puts) {
      if (!key.startsWith('service/')) continue;
      const manifest = JSON.parse(value) as Manifest;
      if (manifest.kind !== 'Service') continue;
      const [fault] = this.#parts.rules.faultsOf(manifest, undefined);
      if (fault !== undefined) throw conflict(`${key}: ${fault.field}: ${fault.message}`);
    }
  }

  /** Cluster IPs and node ports are kept as they are, so they must be this registry's to give. */
  #checkRanges({ resources }: DurablePart): void {
    const { pools } = this.#parts.rules;
    for (const resource of resources) {
      if (isOwn(resource)) continue;
      for (const claim of resource.claims) {
        const { first, last } = pools[claim.pool];
        if (claim.number >= first && claim.number <= last) continue;
        const option = claim.pool === 'clusterIps' ? ' (--service-cidr)' : '';
        throw conflict(
          `${resource.key}: ${claimText(claim)} is outside this registry's range${option}`,
        );
      }
    }
  }

  #checkRoom({ instances }: ImportPlan, snapshot: StoreSnapshot): void {
    const most = this.#parts.maxInstancesPerService;
    const counts = new Map<string, number>();
    const count = (instanceKey: InstanceKey) => {
      const service = serviceKeyOfInstance(instanceKey);
      counts.set(service, (counts.get(service) ?? 0) + 1);
    };
    for (const record of snapshot.instances) count(instanceKeyOf(record));
    for (const { record, known } of instances)
      if (known === undefined) count(instanceKeyOf(record));
    for (const { record } of instances) {
      const service = serviceKeyOfInstance(instanceKeyOf(record));
      if ((counts.get(service) ?? 0) <= most) continue;
      throw conflict(
        `${service}: it would have more than ${most} instances (--max-instances-per-service)`,
      );
    }
  }
}

function read(text: string): DurablePart {
  try {
    return decodeDurable(text);
  } catch (error) {
    throw invalidExport((error as Error).message, error);
  }
}

function claimText({ pool, number }: Claim): string {
  return pool === 'clusterIps' ? `cluster IP ${ipv4OfNumber(number)}` : `node port ${number}`;
}

function conflict(message: string): ProblemError {
  return new ProblemError('import_conflict', message);
}
