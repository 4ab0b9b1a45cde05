import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;

/** Processor time of a process with all its threads, in ms; NaN if the system does not report it. */
export function cpuMsOf(pid: number): number {
  try {
    let ns = 0;
    for (const task of readdirSync(`/proc/${pid}/task`))
      ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    return ns / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** Time that a core was not idle, in ms since boot, including time stolen by the host; NaN if unknown. */
export function busyMsOf(core: number): number {
  try {
    const line = readFileSync('/proc/stat', 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`cpu${core} `));
    const [user, nice, system, , , irq, softirq, steal] = (line ?? '')
      .split(/ +/)
      .slice(1)
      .map(Number);
    return (user! + nice! + system! + irq! + softirq! + steal!) * TICK_MS;
  } catch {
    return Number.NaN;
  }
}
