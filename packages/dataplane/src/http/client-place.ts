import type { Router } from '../model/router.ts';

/** What a client's connection has of the listener that it came in at. */
export interface ClientPlace<Session> {
  readonly router: Router;
  readonly passesTrailers: boolean;
  readonly onGone: (session: Session) => void;
}
