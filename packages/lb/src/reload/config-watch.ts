import type { ConfigSource } from '../config/config-source.ts';

/**
 * Notices that the configuration file has changed. It looks at the file instead of waiting for events, which do not reach
 * every file: not one on a network, nor one that is mounted into a container.
 */
export class ConfigWatch {
  readonly #source: ConfigSource;
  readonly #onChange: () => void;
  #lastStamp: string | undefined;

  constructor(source: ConfigSource, onChange: () => void) {
    this.#source = source;
    this.#onChange = onChange;
  }

  /** Must be called about once a second. A file counts once it looked the same twice: it may be in the middle of a write. */
  look(): void {
    const stamp = this.#source.stamp();
    const isSettled = stamp === this.#lastStamp;
    this.#lastStamp = stamp;
    if (stamp !== undefined && isSettled && stamp !== this.#source.loadedStamp) this.#onChange();
  }
}
