import type { Dispatcher } from 'undici';
import { type AnyHandler, isLegacy } from '../undici/legacy-handler.ts';

/** Where undici 6 and 7 keep the dispatcher of a process, and where undici 8 does. */
const LEGACY = Symbol.for('undici.globalDispatcher.1');
const MODERN = Symbol.for('undici.globalDispatcher.2');

/** The dispatcher that the application's own fetch uses, proxies and all. */
export function globalDispatcherFor(handler: AnyHandler): Dispatcher {
  const found = (globalThis as Record<symbol, unknown>)[isLegacy(handler) ? LEGACY : MODERN];
  if (found === undefined) throw new Error('this process has no dispatcher for its fetch');
  return found as Dispatcher;
}
