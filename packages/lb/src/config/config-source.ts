import { statSync } from 'node:fs';
import { loadConfigFile, type LoadedConfig } from './config-file.ts';

/** Where a configuration comes from. */
export interface ConfigSource {
  /** Reads it. @throws ConfigError */
  load(): LoadedConfig;
  /** Changes with the file, and with those that it names; undefined while there is none. */
  stamp(): string | undefined;
  /** The stamp of what was read last, whether it was right or not. */
  readonly loadedStamp: string | undefined;
}

/** A configuration file. */
export class ConfigFile implements ConfigSource {
  loadedStamp: string | undefined;
  readonly #file: string;
  readonly #environment: NodeJS.ProcessEnv;
  #named: readonly string[] = [];

  constructor(file: string, environment: NodeJS.ProcessEnv) {
    this.#file = file;
    this.#environment = environment;
  }

  load(): LoadedConfig {
    // Before reading: what changes meanwhile is seen later.
    const own = stampOf(this.#file);
    try {
      const loaded = loadConfigFile(this.#file, this.#environment);
      this.#named = loaded.files;
      return loaded;
    } finally {
      this.loadedStamp = this.#stampOfAll(own);
    }
  }

  stamp(): string | undefined {
    return this.#stampOfAll(stampOf(this.#file));
  }

  #stampOfAll(own: string | undefined): string | undefined {
    return own === undefined ? undefined : [own, ...this.#named.map(stampOf)].join();
  }
}

/** A file that is replaced, instead of written again, has another number. */
function stampOf(file: string): string | undefined {
  try {
    const { ino, size, mtimeMs } = statSync(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    // It may be on its way: what reads it will say what is wrong with it.
    return undefined;
  }
}
