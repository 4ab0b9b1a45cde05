import { ProblemError } from '@rollcall/contract';
import { OwnerCount } from './owner-count.ts';
import type { EventStream } from '../../watch/stream.ts';

export interface PlaceRules {
  readonly kind: 'watch' | 'hold';
  readonly most: number;
  /** The option that sets `most`. */
  readonly option: '--max-watches' | '--max-holds';
  /** 0 = no limit. */
  readonly mostPerToken: number;
  /** Called for each stream that exceeds the limit of its token. */
  readonly onOverQuota: () => void;
}

/**
 * Limits the streams of one kind. A stream counts from its request until its end: each has to wait before it is open,
 * and of many that come together none may take a place that another is about to take.
 */
export class StreamSlots {
  readonly #rules: PlaceRules;
  readonly #owners = new OwnerCount();
  #size = 0;

  constructor(rules: PlaceRules) {
    this.#rules = rules;
  }

  /** Takes a place for the stream that `open` returns; releases it if that fails. Throws `too_many_watches`. */
  async openInSlot(owner: string | undefined, open: () => Promise<EventStream>): Promise<void> {
    this.#check(owner);
    this.#size++;
    this.#owners.increment(owner);
    const giveBack = () => {
      this.#size--;
      this.#owners.decrement(owner);
    };
    let stream: EventStream;
    try {
      stream = await open();
    } catch (error) {
      giveBack();
      throw error;
    }
    stream.onEnd(giveBack);
  }

  #check(owner: string | undefined): void {
    const { kind, most, option, mostPerToken, onOverQuota } = this.#rules;
    if (this.#size >= most) {
      const message = `this server holds ${most} ${kind} streams, the most that ${option} allows`;
      throw new ProblemError('too_many_watches', message);
    }
    const isLimited = owner !== undefined && mostPerToken > 0;
    if (!isLimited || this.#owners.get(owner) < mostPerToken) return;
    onOverQuota();
    const message = `the token has ${mostPerToken} ${kind} streams open here, the most that --max-watches-per-token allows`;
    throw new ProblemError('too_many_watches', message);
  }
}
