import type { Attributes, Meter, UpDownCounter } from '@opentelemetry/api';
import type { RegistrationMessage } from '@rollcall/client-sdk';
import { ATTRIBUTE, serviceAttributes } from '../semantics/attributes.ts';

type State = 'held' | 'lost' | 'draining';

/** How many registrations of this process are in which state. */
export class RegistrationStates {
  readonly #counter: UpDownCounter;
  /** With what each was counted last. */
  readonly #known = new Map<string, Attributes>();

  constructor(meter: Meter) {
    this.#counter = meter.createUpDownCounter('rollcall.client.registrations', {
      description: 'Registrations of this process, by state.',
      unit: '{registration}',
    });
  }

  /** Undefined: it ended. */
  changed(message: RegistrationMessage, state: State | undefined): void {
    const key = `${message.namespace}/${message.service}/${message.instance}`;
    this.#forget(key);
    if (state === undefined) return;
    const attributes = { ...serviceAttributes(message), [ATTRIBUTE.registrationState]: state };
    this.#known.set(key, attributes);
    this.#counter.add(1, attributes);
  }

  /** Nothing will be told of these registrations any more. */
  close(): void {
    for (const key of this.#known.keys()) this.#forget(key);
  }

  #forget(key: string): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    this.#known.delete(key);
    this.#counter.add(-1, known);
  }
}
