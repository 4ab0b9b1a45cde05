import { z } from 'zod';
import { PortName } from './names.ts';

/** A transport protocol, spelled as in Kubernetes. */
export const Protocol = z.enum(['TCP', 'UDP', 'SCTP']).meta({ id: 'Protocol' });
export type Protocol = z.output<typeof Protocol>;

/** A port number, 1 to 65535. */
export const PortNumber = z
  .int({ error: 'expected a port number, 1 to 65535' })
  .min(1, { error: 'expected a port number, 1 to 65535' })
  .max(65_535, { error: 'expected a port number, 1 to 65535' });

/** One named port of an instance, in its stored form. */
export const InstancePort = z
  .strictObject({
    /** Where the instance listens. */
    port: PortNumber,
    /** The number that a declared service's `targetPort` may name instead. @default the port itself */
    containerPort: PortNumber.optional(),
    protocol: Protocol.default('TCP'),
  })
  .meta({ id: 'InstancePort' });
export type InstancePort = z.output<typeof InstancePort>;

const ShortPort = z.codec(PortNumber, InstancePort, {
  decode: (port) => ({ port }),
  encode: ({ port }) => port,
});

/** The named ports of an instance: `{ "http": 3000 }` or `{ "http": { "port": 3000, "protocol": "TCP" } }`. */
export const InstancePorts = z
  .record(
    PortName,
    z.union([ShortPort, InstancePort], {
      error: (issue) =>
        typeof issue.input === 'object' || typeof issue.input === 'number'
          ? undefined
          : 'expected a port number, or an object with port, containerPort and protocol',
    }),
  )
  .refine((ports) => Object.keys(ports).length > 0, { error: 'expected at least one named port' })
  .refine((ports) => Object.keys(ports).length <= 64, { error: 'expected at most 64 ports' });
export type InstancePorts = z.output<typeof InstancePorts>;
