export { Backoff } from './backoff.ts';
export { type Clock, type Timer, systemClock } from './clock.ts';
export { descriptorShare, systemDescriptors } from './descriptors.ts';
export { deadline, pause, sleep, unlessAborted, withCause, within } from './pause.ts';
export { type Random, systemRandom } from './random.ts';
