import type { Endpoint } from '@rollcall/client-sdk';
import type { TargetGroupConfig } from '../config/schema.ts';
import type { TargetSource } from './target-source.ts';

/** The targets of several sources as those of one. It shows those that it knows, before it knows all of them. */
export class CombinedSource implements TargetSource {
  readonly #sources: readonly TargetSource[];
  /** The endpoints of each source from which the shown ones were made. */
  #parts: readonly (readonly Endpoint[] | undefined)[] = [];
  #shown: readonly Endpoint[] | undefined;

  /** Of two targets with the same id, that of the first source counts. */
  constructor(sources: readonly TargetSource[]) {
    this.#sources = sources;
  }

  endpoints(): readonly Endpoint[] | undefined {
    const parts = this.#sources.map((source) => source.endpoints());
    const isSame =
      parts.length === this.#parts.length && parts.every((one, i) => one === this.#parts[i]);
    if (!isSame) {
      this.#parts = parts;
      const known = parts.filter((part) => part !== undefined);
      this.#shown = known.length > 1 ? withoutDoubles(known.flat()) : known[0];
    }
    return this.#shown;
  }

  /** The age of the oldest picture. */
  ageMs(): number {
    const known = this.#sources.filter((source) => source.endpoints() !== undefined);
    return known.length === 0 ? Infinity : Math.max(...known.map((source) => source.ageMs()));
  }

  explain(): string {
    const unknown = this.#sources.filter((source) => source.endpoints() === undefined);
    return (unknown.at(-1) ?? this.#sources.at(-1))?.explain() ?? '';
  }

  onChange(listener: () => void): () => void {
    const ends = this.#sources.map((source) => source.onChange(listener));
    return () => {
      for (const end of ends) end();
    };
  }

  configure(config: TargetGroupConfig): void {
    for (const source of this.#sources) source.configure?.(config);
  }

  close(): void {
    for (const source of this.#sources) source.close?.();
  }
}

function withoutDoubles(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const byId = new Map<string, Endpoint>();
  for (const endpoint of endpoints) if (!byId.has(endpoint.id)) byId.set(endpoint.id, endpoint);
  return [...byId.values()];
}
