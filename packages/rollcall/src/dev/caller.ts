// A client: calls the service `hello` ten times per second through the SDK and reports the results each second.
//
//     ROLLCALL_URL=http://127.0.0.1:7400 rollcall dev caller
import { Rollcall } from '@rollcall/client-sdk';

/** The results of one second; sent to the parent process if it listens. */
export interface CallReport {
  readonly answered: number;
  readonly failed: number;
  /** Answers by instance since the last report. */
  readonly by: Readonly<Record<string, number>>;
}

const { env } = process;
const rollcall = new Rollcall({
  url: (env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400').split(','),
  // The service may be starting: a slow first call is better than a failed one.
  noEndpointWaitMs: 5_000,
  ...(env['ROLLCALL_TOKEN'] === undefined ? {} : { token: env['ROLLCALL_TOKEN'] }),
});
const hello = rollcall.service('hello');

let answered = 0;
let failed = 0;
let by: Record<string, number> = {};

async function call(): Promise<void> {
  try {
    const { statusCode, body } = await hello.request('/');
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
    answered++;
    const id = text.trim().split(' ').at(-1) ?? '';
    by[id] = (by[id] ?? 0) + 1;
  } catch (error) {
    failed++;
    console.error(`a call failed: ${(error as Error).message}`);
  }
}

function report(): void {
  const counts: CallReport = { answered, failed, by };
  by = {};
  if (process.send === undefined) console.log(JSON.stringify(counts));
  else process.send(counts);
}

await hello.ready();
const calling = setInterval(() => void call(), 100);
const reporting = setInterval(report, 1_000);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    clearInterval(calling);
    clearInterval(reporting);
    void rollcall.close();
  });
}
