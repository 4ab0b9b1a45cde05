/** Why a request is not let in. */
export interface Refusal {
  readonly status: 400 | 403 | 421;
  readonly code: 'invalid_request' | 'origin_refused' | 'host_refused';
  readonly message: string;
  /** The header at fault. */
  readonly field: string;
}
