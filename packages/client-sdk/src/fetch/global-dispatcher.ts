import type { Dispatcher } from 'undici';
import { type AnyHandler, isLegacy } from '../undici/legacy-handler.ts';

/**
 * Global symbols under which undici keeps the process's dispatcher: undici 6 and 7 the first one, undici 8 the second.
 */
const LEGACY = Symbol.for('undici.globalDispatcher.1');
const MODERN = Symbol.for('undici.globalDispatcher.2');

/** The dispatcher that the application's own fetch uses, including any proxy that it configures. */
export function globalDispatcherFor(handler: AnyHandler): Dispatcher {
  const found = (globalThis as Record<symbol, unknown>)[isLegacy(handler) ? LEGACY : MODERN];
  if (found === undefined) throw new Error('this process has no dispatcher for its fetch');
  return found as Dispatcher;
}
