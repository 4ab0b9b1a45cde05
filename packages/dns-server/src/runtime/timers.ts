export interface Timers {
  /** Repeats until the returned function is called; never keeps a process alive by itself. */
  every(intervalMs: number, task: () => void): () => void;
}

export const systemTimers: Timers = {
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};
