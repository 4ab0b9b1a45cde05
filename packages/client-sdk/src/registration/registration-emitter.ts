import type { Channel } from 'node:diagnostics_channel';
import type { Registration, RegistrationEvents } from '../api/registration.ts';
import { Emitter } from '../base/emitter.ts';
import type { Runtime } from '../base/runtime.ts';
import { CHANNELS, type RegistrationMessage, tell } from '../diagnostics/channels.ts';

type Subject = Pick<RegistrationMessage, 'namespace' | 'service' | 'instance'>;

/** Where an event is told besides. A renewal is none: there are too many. */
const TOLD: Partial<Readonly<Record<keyof RegistrationEvents, Channel>>> = {
  lost: CHANNELS.lost,
  reregistered: CHANNELS.reregistered,
  draining: CHANNELS.draining,
  superseded: CHANNELS.superseded,
  released: CHANNELS.deregistered,
};

/** The events of a registration, which are told to diagnostics as well. */
export class RegistrationEmitter extends Emitter<RegistrationEvents> {
  readonly #subject: Subject;

  constructor(
    runtime: Pick<Runtime, 'warn'>,
    { namespace, service, id: instance }: Pick<Registration, 'namespace' | 'service' | 'id'>,
  ) {
    super(runtime);
    this.#subject = { namespace, service, instance };
  }

  /** It is on the roll. The first time, the caller learns it by the promise of the registration. */
  enrolled(isFirst: boolean): void {
    if (isFirst) tell(CHANNELS.registered, () => this.#subject);
    else this.emit('reregistered');
  }

  override emit<K extends keyof RegistrationEvents>(
    event: K,
    ...args: Parameters<RegistrationEvents[K]>
  ): void {
    const channel = TOLD[event];
    const [error] = args;
    const subject = this.#subject;
    if (channel !== undefined) {
      tell(channel, (): RegistrationMessage =>
        error === undefined ? subject : { ...subject, error },
      );
    }
    super.emit(event, ...args);
  }
}
