export interface Timers {
  /** Repeats until the returned function is called; never keeps a process alive by itself. */
  every(intervalMs: number, task: () => void): () => void;
  /** A signal that aborts by itself. */
  deadline(ms: number): AbortSignal;
  pause(ms: number): Promise<void>;
}

export const systemTimers: Timers = {
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
  deadline: (ms) => AbortSignal.timeout(ms),
  pause: (ms) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms);
    }),
};
