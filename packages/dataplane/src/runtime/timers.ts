/** Repeating work. The returned function ends it; it never keeps a process alive by itself. */
export interface Timers {
  every(intervalMs: number, task: () => void): () => void;
}

export const systemTimers: Timers = {
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};
