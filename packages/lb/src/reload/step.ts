/** One part of a change that is ready. Either it happens, or it leaves no trace. */
export interface Step {
  /** Must not fail. */
  commit(): void;
  undo(): void | Promise<void>;
}

/** The steps of one change: they happen together, or none does. */
export class Steps {
  readonly #ready: Step[] = [];

  add<S extends Step>(step: S): S {
    this.#ready.push(step);
    return step;
  }

  commit(): void {
    for (const step of this.#ready) step.commit();
  }

  /** The last one first. */
  async undo(): Promise<void> {
    for (const step of this.#ready.toReversed()) await step.undo();
  }
}

/** For a part that does not change. */
export const NO_STEP: Step = Object.freeze({ commit() {}, undo() {} });
