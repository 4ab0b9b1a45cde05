import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIBRARY = fileURLToPath(
  new URL(`../node_modules/.cache/clock-shift-${process.arch}.so`, import.meta.url),
);

/** Shifts the wall clock of any program by CLOCK_SHIFT_S seconds; its monotonic clock stays unchanged. */
const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long shift(void) { const char *s = getenv("CLOCK_SHIFT_S"); return s ? atol(s) : 0; }
int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, at);
  if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += shift();
  return result;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  static int (*real)(struct timeval *, void *);
  if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
  int result = real(at, zone);
  if (result == 0) at->tv_sec += shift();
  return result;
}
time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
`;

/**
 * Environment variables with which a program sees a different wall clock: `shiftS` seconds later, or earlier when
 * negative. Undefined when not available: it requires Linux and a C compiler.
 */
export async function shiftedClock(shiftS: number): Promise<NodeJS.ProcessEnv | undefined> {
  if (process.platform !== 'linux') return undefined;
  const hasLibrary = await stat(LIBRARY).then(
    () => true,
    () => build().catch(() => false),
  );
  return hasLibrary ? { LD_PRELOAD: LIBRARY, CLOCK_SHIFT_S: `${shiftS}` } : undefined;
}

async function build(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'clock-shift-'));
  const [source, built] = [join(folder, 'shift.c'), join(folder, 'shift.so')];
  try {
    await writeFile(source, SOURCE);
    await run('cc', ['-shared', '-fPIC', '-O1', '-o', built, source, '-ldl']);
    await mkdir(dirname(LIBRARY), { recursive: true });
    const own = `${LIBRARY}.${process.pid}`;
    await run('cp', [built, own]);
    await rename(own, LIBRARY);
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
