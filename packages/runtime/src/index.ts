export { Backoff } from './backoff.ts';
export { type Clock, type Timer, systemClock } from './clock.ts';
export { deadline, pause, sleep, unlessAborted, withCause, within } from './pause.ts';
export { type Random, systemRandom } from './random.ts';
