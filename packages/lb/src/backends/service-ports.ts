import { type ServiceKey, type ServiceSnapshot, serviceKeyOf } from '@rollcall/client-sdk';

/** Identifies a service. */
export interface ServiceRef {
  readonly namespace: string;
  readonly service: string;
}

/** The name of the port with a number; empty: the service's only port, which has no name. Undefined: there is none. */
export type PortLookup = (service: ServiceRef, number: number) => string | undefined;

/** A service whose pictures are followed. */
export interface FollowedService {
  /** Undefined before the first. */
  snapshot(): ServiceSnapshot | undefined;
  /** Closing ends it. */
  onChange(listener: () => void): void;
  close(): void;
}

interface Entry {
  readonly followed: FollowedService;
  /** Its ports as text, to see whether they changed. */
  ports: string;
}

/** The ports of the services that Ingresses name by a number. */
export class ServicePorts {
  readonly #open: (service: ServiceRef) => FollowedService;
  readonly #onChange: () => void;
  readonly #entries = new Map<ServiceKey, Entry>();

  /** `onChange`: called when the ports of a service have changed. */
  constructor(open: (service: ServiceRef) => FollowedService, onChange: () => void) {
    this.#open = open;
    this.#onChange = onChange;
  }

  /** Whether the ports of all services are known. */
  get isComplete(): boolean {
    return [...this.#entries.values()].every(({ followed }) => followed.snapshot() !== undefined);
  }

  /** Follows these services and no others. */
  follow(services: readonly ServiceRef[]): void {
    const wanted = new Map(services.map((one) => [serviceKeyOf(one), one] as const));
    for (const [key, { followed }] of this.#entries) {
      if (wanted.has(key)) continue;
      this.#entries.delete(key);
      followed.close();
    }
    for (const [key, service] of wanted) {
      if (this.#entries.has(key)) continue;
      const followed = this.#open(service);
      const entry = { followed, ports: portsOf(followed.snapshot()) };
      this.#entries.set(key, entry);
      followed.onChange(() => this.#look(entry));
    }
  }

  readonly nameOf: PortLookup = (service, number) => {
    const snapshot = this.#entries.get(serviceKeyOf(service))?.followed.snapshot();
    return snapshot && portNamed(snapshot, number);
  };

  close(): void {
    this.follow([]);
  }

  #look(entry: Entry): void {
    const ports = portsOf(entry.followed.snapshot());
    if (ports === entry.ports) return;
    entry.ports = ports;
    this.#onChange();
  }
}

/** A service that is not declared has the ports of its instances. */
function portNamed({ declared, endpoints }: ServiceSnapshot, number: number): string | undefined {
  if (declared === null) {
    return endpoints.find(({ port, protocol }) => port === number && protocol === 'TCP')?.portName;
  }
  return declared.ports.find(({ port, protocol }) => port === number && protocol === 'TCP')?.name;
}

function portsOf(snapshot: ServiceSnapshot | undefined): string {
  if (snapshot === undefined) return '';
  const { declared, endpoints } = snapshot;
  const ports: readonly unknown[] =
    declared?.ports ?? endpoints.map(({ port, portName }) => `${portName} ${port}`);
  return JSON.stringify([...new Set(ports)]);
}
