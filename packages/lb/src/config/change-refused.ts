import { StartError } from '@rollcall/daemon';

/** A configuration that is right, but cannot be applied here and now. */
export class ChangeRefused extends StartError {
  /** The key in the configuration. */
  readonly path: readonly PropertyKey[];

  constructor(message: string, path: readonly PropertyKey[], options?: ErrorOptions) {
    super(message);
    this.path = path;
    if (options?.cause !== undefined) this.cause = options.cause;
  }
}
