/** Namespace and name of the service that the registry servers themselves are. */
export const SELF = Object.freeze({ namespace: 'default', service: 'rollcall' });
