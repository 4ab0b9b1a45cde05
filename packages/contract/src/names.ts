import { z } from 'zod';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const INSTANCE_ID = /^[A-Za-z0-9]([-A-Za-z0-9._:]{0,126}[A-Za-z0-9])?$/;
const LEASE_ID = /^\d{1,4}\.\d{4,6}\.[0-9a-f]{32}$/;

const dnsLabel = (what: string) =>
  z.string().regex(DNS_LABEL, {
    error: `expected ${what}: 1 to 63 lower-case letters, digits or '-', beginning and ending with a letter or digit`,
  });

/** The name of a tenant's namespace: a DNS-1123 label. */
export const NamespaceName = dnsLabel('a namespace name').meta({ id: 'NamespaceName' });

/** The stable name of a service: a DNS-1123 label. */
export const ServiceName = dnsLabel('a service name').meta({ id: 'ServiceName' });

/** The name of a port of an instance: a DNS-1123 label of at most 15 characters, as in IANA service names. */
export const PortName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/, {
    error: "expected a port name: 1 to 15 lower-case letters, digits or '-'",
  })
  .meta({ id: 'PortName' });

/** The id of one instance within its service: 1 to 128 letters, digits, `.`, `_`, `:` or `-`. */
export const InstanceId = z
  .string()
  .regex(INSTANCE_ID, {
    error:
      "expected an instance id: 1 to 128 letters, digits, '.', '_', ':' or '-', beginning and ending with a letter or digit",
  })
  .meta({ id: 'InstanceId' });

/** A lease id: `<partition>.<ttlMs>.<128 random bits in hex>`. Only its owner knows it. */
export const LeaseId = z
  .string()
  .regex(LEASE_ID, { error: 'expected a lease id as the registry gave it' })
  .meta({ id: 'LeaseId' });

/** Whether a text has the form of a lease id. Cheaper than the schema, for the heartbeat path. */
export function isLeaseId(text: string): boolean {
  return LEASE_ID.test(text);
}

/** A lease id shortened for logs: its random bits are a secret. */
export function shortLeaseId(lease: string): string {
  const random = lease.lastIndexOf('.') + 1;
  return `${lease.slice(0, random)}${lease.slice(random, random + 6)}…`;
}

/** A label key as in Kubernetes: an optional DNS prefix and `/`, then a name of at most 63 characters. */
export const LabelKey = z.string().refine(
  (key) => {
    const slash = key.indexOf('/');
    const name = slash === -1 ? key : key.slice(slash + 1);
    return LABEL_NAME.test(name) && (slash === -1 || LABEL_PREFIX.test(key.slice(0, slash)));
  },
  {
    error:
      "expected a label key: an optional DNS prefix and '/', then 1 to 63 letters, digits, '-', '_' or '.'",
  },
);

/** A label value as in Kubernetes, except that its length is a limit of the server (63 by default). */
export const LabelValue = z.string().regex(LABEL_VALUE, {
  error:
    "expected a label value: empty, or letters, digits, '-', '_' or '.', beginning and ending with a letter or digit",
});
