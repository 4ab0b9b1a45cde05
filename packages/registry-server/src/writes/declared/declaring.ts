import type { Clock, Random } from '@rollcall/runtime';
import type { SecretSeal } from '../../access/secret-seal.ts';
import type { Picture } from '../../picture/picture.ts';
import type { Store } from '../../store/store.ts';
import type { AddressRules } from './drafts/address-rules.ts';
import { Declarer } from './declarer.ts';
import { Deleter } from './deleter.ts';
import type { DraftContext } from './drafts/draft.ts';
import { DraftWriter } from './writing/draft-writer.ts';
import { ThreadedReader } from './manifest-reader.ts';
import { OwnedObjects } from './owned-objects.ts';
import { StatusWriter } from './status-writer.ts';

interface DeclaringParts {
  readonly store: Store;
  readonly picture: Picture;
  readonly rules: AddressRules;
  readonly random: Random;
  readonly clock: Clock;
  /** Encrypts Secrets; undefined: they are refused. */
  readonly seal: SecretSeal | undefined;
  /** The objects that the registry makes itself. */
  readonly derived: DraftContext['derived'];
}

/** What writes declared objects. */
export interface Declaring {
  readonly declarer: Declarer;
  readonly statuses: StatusWriter;
  readonly deleter: Deleter;
  readonly owned: OwnedObjects;
  close(): void;
}

/** The writers of declared objects, over one store. */
export function declaringOf(parts: DeclaringParts): Declaring {
  const { store, picture, rules, random, clock, seal, derived } = parts;
  const reader = new ThreadedReader(clock);
  const writer = new DraftWriter(store, picture, rules);
  const deleter = new Deleter({ store, picture, writer, clock });
  return {
    declarer: new Declarer({ writer, picture, rules, random, clock, reader, seal, derived }),
    statuses: new StatusWriter({ writer, picture, reader, clock }),
    deleter,
    owned: new OwnedObjects({ picture, writer, deleter, clock }),
    close: () => reader.close(),
  };
}
