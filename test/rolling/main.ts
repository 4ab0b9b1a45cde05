// Replaces instances of a service one after another, under load over HTTP/1.1, HTTP/2, gRPC and WebSockets, and counts
// what fails and what is served twice; exits with 1 when something does. With --plain the instances leave as most
// programs do, for comparison; with --silent somebody watches who never acknowledges.
//
//     npm run rolling -- --calls 200000
import { parseArgs } from 'node:util';
import { roll } from './rolling.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '200000' },
    instances: { type: 'string', default: '5' },
    concurrency: { type: 'string', default: '16' },
    work: { type: 'string', default: '5' },
    plain: { type: 'boolean', default: false },
    silent: { type: 'boolean', default: false },
  },
});
const numberOf = (name: 'calls' | 'instances' | 'concurrency' | 'work') => {
  const value = Number(values[name]);
  if (value > 0) return value;
  throw new Error(`--${name} ${values[name]}: expected a number above 0`);
};
const workMs = numberOf('work');
const report = await roll({
  calls: numberOf('calls'),
  instances: numberOf('instances'),
  concurrency: numberOf('concurrency'),
  workMs,
  isPlain: values.plain,
  hasSilentWatcher: values.silent,
  print: (line) => console.log(line),
});
const { calls, total, failed, doubled, unserved, replaced, leavesMs, cutOff } = report;
for (const [way, count] of Object.entries(calls)) console.log(`${way}: ${count} answered`);
for (const line of failed.slice(0, 10)) console.log(`failed: ${line}`);
const longest = Math.round(Math.max(...leavesMs));
console.log(
  `${total} calls, ${replaced} instances replaced: ${failed.length} failed, ${doubled.length} served twice, ` +
    `${unserved.length} answered by nobody, ${cutOff} connections cut off; ` +
    `from SIGTERM to the end ${longest} ms at most (a call takes ${workMs} ms at most)`,
);
process.exit(failed.length + doubled.length + unserved.length > 0 ? 1 : 0);
