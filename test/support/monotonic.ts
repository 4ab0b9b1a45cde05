/** The machine's monotonic time in ms, the same in all its processes. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
