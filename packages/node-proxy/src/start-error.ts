/** The outside does not allow what the options ask for; the message names the option that changes it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
