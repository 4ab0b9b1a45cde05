import type { Random } from '@rollcall/runtime';
import type { LiveTargetGroup } from '../../groups/target-group.ts';

interface Share {
  readonly group: LiveTargetGroup;
  readonly weight: number;
}

/** Draws a target group by weight. */
export class GroupChoice {
  readonly #shares: readonly Share[];
  readonly #total: number;
  readonly #random: Random['share'];

  constructor(shares: readonly Share[], random: Random['share']) {
    this.#shares = shares;
    this.#total = shares.reduce((sum, { weight }) => sum + weight, 0);
    this.#random = random;
  }

  /** The group of that name, if it takes requests. */
  find(name: string | undefined): LiveTargetGroup | undefined {
    if (name === undefined) return undefined;
    return this.#shares.find(({ group, weight }) => weight > 0 && group.name === name)?.group;
  }

  draw(): LiveTargetGroup {
    // Nearly every rule has one group.
    if (this.#shares.length === 1) return this.#shares[0]!.group;
    let left = this.#random() * this.#total;
    for (const { group, weight } of this.#shares) {
      left -= weight;
      if (left < 0) return group;
    }
    return this.#shares.at(-1)!.group;
  }
}
