/** The service of an instance by number: neighbours belong to different services, as on the machines of a cluster. */
export function serviceOf(instance: number, services: number): string {
  return `s${instance % services}`;
}

export function instanceId(instance: number): string {
  return `i${instance}`;
}

/** API path of an instance. */
export function pathOf(service: string, id: string): string {
  return `/v1/namespaces/default/services/${service}/instances/${id}`;
}

/** Registration data of an instance: an address, a port, a zone and a label, as is typical. */
export function registrationOf(instance: number, ttlMs: number): object {
  return {
    address: `10.${(instance >> 16) & 255}.${(instance >> 8) & 255}.${instance & 255}`,
    ports: { http: 3_000 },
    zone: `zone-${instance % 3}`,
    labels: { version: `1.${instance % 20}` },
    ttlMs,
  };
}
