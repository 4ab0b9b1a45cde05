// Preloaded into the processes of the stack: they end when the process that started them has ended, however it ended.
process.channel?.unref();
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
