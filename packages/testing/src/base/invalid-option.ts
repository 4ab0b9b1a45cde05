import { RollcallError } from '@rollcall/client-sdk';

/** The error of a wrong option; `field` is its path. */
export const invalidOption = (message: string, field: string): RollcallError =>
  new RollcallError('invalid_options', message, { field });
