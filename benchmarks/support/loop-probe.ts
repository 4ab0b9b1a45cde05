// Loaded into a server (--import): measures how long its event loop is blocked. On SIGUSR2 it prints the longest block
// since the last report and the most processor time of a block, in ms, and resets both. They differ when the thread was
// not running: then another process had the core.
const INTERVAL_MS = 1;

let wallMs = 0;
let cpuMs = 0;
let reports = 0;
let lastMs = performance.now();
let lastCpu = process.threadCpuUsage();

setInterval(() => {
  const nowMs = performance.now();
  const nowCpu = process.threadCpuUsage();
  const cpu = (nowCpu.user + nowCpu.system - lastCpu.user - lastCpu.system) / 1e3;
  wallMs = Math.max(wallMs, nowMs - lastMs - INTERVAL_MS);
  cpuMs = Math.max(cpuMs, cpu);
  lastMs = nowMs;
  lastCpu = nowCpu;
}, INTERVAL_MS).unref();

process.on('SIGUSR2', () => {
  process.stdout.write(`loop-block ${++reports} ${wallMs.toFixed(2)} ${cpuMs.toFixed(2)}\n`);
  wallMs = 0;
  cpuMs = 0;
});
