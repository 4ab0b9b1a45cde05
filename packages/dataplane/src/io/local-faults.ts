/** System errors that mean that this machine has a problem, not the other side. */
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

/** Whether the connect failed because of this machine, which says nothing about the target. */
export function isLocalFault(code: string): boolean {
  return LOCAL_FAULTS.has(code);
}
