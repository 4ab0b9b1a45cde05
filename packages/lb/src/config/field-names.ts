const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Fields that frame a message, are for one connection alone, or say what only the balancer can know. */
const PROTECTED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-forwarded-client-cert',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
]);

export const isFieldName = (name: string): boolean => TOKEN.test(name);

export const isProtectedField = (name: string): boolean =>
  PROTECTED.has(name.toLowerCase()) || name.toLowerCase().startsWith('proxy-');
