/** Repeating work. The returned function ends it; it never keeps a process alive by itself. */
export interface Timers {
  every(intervalMs: number, task: () => void): () => void;
}

/**
 * Tasks run after the event loop has read what had arrived by then. Otherwise a process that was held up, on a busy
 * machine, would find the time of a peer over whose bytes it has already received, and close on them.
 */
export const systemTimers: Timers = {
  every(intervalMs, task) {
    let isOver = false;
    const timer = setInterval(() => {
      setImmediate(() => {
        if (!isOver) task();
      });
    }, intervalMs);
    timer.unref();
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  },
};
