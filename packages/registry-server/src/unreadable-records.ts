import type { FastifyBaseLogger } from 'fastify';

/** Records of the store that this version cannot read, as told when the roll is read: they are left out of it. */
export class UnreadableRecords {
  readonly #logger: FastifyBaseLogger;
  /** Once for each reading. */
  total = 0;

  constructor(logger: FastifyBaseLogger) {
    this.#logger = logger;
  }

  note(field: string, error: Error): void {
    this.total++;
    const consequence = 'it is left out; deregister it, or register it anew';
    this.#logger.error({ instance: field, err: error }, `an unreadable record: ${consequence}`);
  }
}
