// Preloaded into the processes of the stack: when the one that started them is gone, however it ended, they end too.
process.channel?.unref();
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
