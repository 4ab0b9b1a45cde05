import { runProgram } from '@rollcall/daemon';
import { systemClock } from '@rollcall/runtime';
import { type WorkerStart, WORKER_VARIABLE } from './workers/messages.ts';
import { ParentChannel } from './workers/parent-channel.ts';
import { startWorker } from './workers/worker-program.ts';

// The program of one worker: its parent starts it, tells it what to do, and ends it.
await runProgram<WorkerStart>(
  {
    name: 'rollcall-lb-worker',
    main: import.meta.url,
    help: () => 'rollcall-lb-worker: started by rollcall-lb, for the key workers of its file\n',
    clock: systemClock,
    isTraced: true,
    endsWithParent: true,
    configure(_words, environment) {
      const start = environment[WORKER_VARIABLE];
      delete environment[WORKER_VARIABLE];
      return JSON.parse(start ?? '{}') as WorkerStart;
    },
    start: (start, context) => startWorker(start, context, new ParentChannel(process)),
  },
  [],
);
