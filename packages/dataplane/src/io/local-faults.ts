/** What the system says when this machine is at its end, not the other side. */
const LOCAL_FAULTS = new Set([
  'EACCES',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EAGAIN',
  'EAI_AGAIN',
  'EAI_MEMORY',
  'EAI_SYSTEM',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EPERM',
]);

/** Whether a connection failed here: that says nothing about whom it was meant for. */
export function isLocalFault(code: string): boolean {
  return LOCAL_FAULTS.has(code);
}
