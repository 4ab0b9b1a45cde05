import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { diag } from '@opentelemetry/api';
import type {
  EjectMessage,
  PictureMessage,
  RegistrationMessage,
  RequestMessage,
} from '@rollcall/client-sdk';

/** What the client tells, by channel. */
interface Messages {
  'rollcall:request:start': RequestMessage;
  'rollcall:request:try': RequestMessage;
  'rollcall:request:retry': RequestMessage;
  'rollcall:request:try-failed': RequestMessage;
  'rollcall:request:end': RequestMessage;
  'rollcall:request:error': RequestMessage;
  'rollcall:eject': EjectMessage;
  'rollcall:registration:registered': RegistrationMessage;
  'rollcall:registration:lost': RegistrationMessage;
  'rollcall:registration:reregistered': RegistrationMessage;
  'rollcall:registration:draining': RegistrationMessage;
  'rollcall:registration:superseded': RegistrationMessage;
  'rollcall:registration:deregistered': RegistrationMessage;
  'rollcall:picture:change': PictureMessage;
}

/**
 * Listens to one channel. Returns a function that ends it. If one of the user's propagators or span processors throws, the
 * error goes to the log of OpenTelemetry: otherwise it would end the process.
 */
export function listen<Name extends keyof Messages>(
  name: Name,
  onMessage: (message: Messages[Name]) => void,
): () => void {
  const listener = (message: unknown) => {
    try {
      onMessage(message as Messages[Name]);
    } catch (error) {
      diag.error(`@rollcall/opentelemetry: ${name}`, error);
    }
  };
  subscribe(name, listener);
  return () => void unsubscribe(name, listener);
}
