/** How many streams each owner has open. */
export class OwnerCount {
  readonly #counts = new Map<string, number>();

  get(owner: string): number {
    return this.#counts.get(owner) ?? 0;
  }

  increment(owner: string | undefined): void {
    if (owner !== undefined) this.#counts.set(owner, this.get(owner) + 1);
  }

  decrement(owner: string | undefined): void {
    if (owner === undefined) return;
    const left = this.get(owner) - 1;
    if (left === 0) this.#counts.delete(owner);
    else this.#counts.set(owner, left);
  }
}
