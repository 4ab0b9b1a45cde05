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
import type { AddressRules } from '../declared/drafts/address-rules.ts';
import { ipv4OfNumber } from '../../picture/declared/ipv4.ts';
import type { Picture } from '../../picture/picture.ts';
import { checkContent, invalidExport } from './check-content.ts';
import {
  type ImportedInstance,
  type ImportPlan,
  isOwn,
  isSecret,
  planImport,
} from './import-plan.ts';

/** How often an import is planned again because something else was written meanwhile. */
const TRIES = 5;

/** How many instances are registered at once. */
const AT_ONCE = 100;

/** Nonce of an instance without one, so that the import does not displace a process that took its id meanwhile. */
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

/** Exports the durable part of any kind of store, and imports it into any. */
export class Importer {
  readonly #parts: ImporterParts;

  constructor(parts: ImporterParts) {
    this.#parts = parts;
  }

  /** The current content of the store, except what every registry makes itself. */
  async export(): Promise<DurableFileContent> {
    const { resources, instances } = durablePartOf(await this.#parts.store.snapshot());
    const exported = resources.filter((one) => !isOwn(one) && !isSecret(one));
    return durableFileOf({ resources: exported, instances });
  }

  /**
   * Writes what is missing, or has an older revision than in the export. Checks everything first; then writes declared
   * objects and overrides, all or nothing, and the instances after them. Repeating it is harmless. Throws
   * `invalid_export`, or `import_conflict` with the conflicting entry.
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
    throw new ProblemError('object_changed', 'the objects of the import keep changing');
  }

  /** Revision of the last write, 0 = none; undefined = something else was written meanwhile. */
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

  /** Returns the last revision, and records the outcome of instances that could not be registered. */
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

  /** Reads the records again: a process may have taken the id of a persistent instance since the plan was made. */
  async #asTheyAre(instances: readonly ImportedInstance[]): Promise<readonly ImportedInstance[]> {
    if (instances.every(({ known }) => known === undefined)) return instances;
    const now = await this.#parts.store.snapshot();
    const roll = new Map(now.instances.map((record) => [instanceKeyOf(record), record]));
    return instances.map(({ record, known }) => {
      return { record, known: known && roll.get(instanceKeyOf(record)) };
    });
  }

  /**
   * Returns the revision, or why the instance was not registered. An existing instance is overwritten under its own
   * nonce, so that the store refuses if a process takes the id at the last moment. Without a nonce it can only be taken
   * over: a process that has registered since the read is then displaced, and registers again at its next heartbeat.
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
      // Its checks determine the status, from the first check on.
      body: { ...record.body, status: known?.body.status ?? 'starting' },
      maxInstances: maxInstancesPerService,
      floor: picture.revision,
    });
    if (outcome.kind === 'granted') return outcome.revision;
    return outcome.kind === 'full' ? 'full' : 'live';
  }

  /** An import must not give a service addresses that it could not be declared with. */
  #checkAddresses(puts: readonly PutItem[]): void {
    for (const { key, value } of puts) {
      if (!key.startsWith('service/')) continue;
      const manifest = JSON.parse(value) as Manifest;
      if (manifest.kind !== 'Service') continue;
      const [fault] = this.#parts.rules.faultsOf(manifest, undefined);
      if (fault !== undefined) throw conflict(`${key}: ${fault.field}: ${fault.message}`);
    }
  }

  /** Cluster IPs and node ports are kept, so they must be in this registry's ranges. */
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
