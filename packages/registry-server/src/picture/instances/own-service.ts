/** Namespace and name of the service that consists of the registry servers. */
export const SELF = Object.freeze({ namespace: 'default', service: 'rollcall' });
