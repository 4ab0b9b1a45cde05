// A balancer with workers under load over http and https, while its file changes every second, certificates and instances
// are replaced, the program is renewed and, with --kills, workers are killed; exits with 1 when a request fails. Linux only.
//
//     npm run edge -- --requests 500000 --minutes 10 --kills
import { parseArgs } from 'node:util';
import { Edge } from './edge.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '500000' },
    minutes: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    callers: { type: 'string', default: '4' },
    kills: { type: 'boolean', default: false },
  },
});
const numberOf = (name: 'requests' | 'minutes' | 'workers' | 'callers') => {
  const value = Number(values[name]);
  if (value > 0) return value;
  throw new Error(`--${name} ${values[name]}: expected a number above 0`);
};
const { answered, repeated, failed, troubles, memory } = await new Edge({
  requests: numberOf('requests'),
  leastMs: numberOf('minutes') * 60_000,
  workers: numberOf('workers'),
  callers: numberOf('callers'),
  kills: values.kills,
  print: (line) => console.log(line),
}).run();
for (const line of failed.slice(0, 20)) console.log(`failed: ${line}`);
const counts = Object.entries(troubles).map(([name, count]) => `${count} ${name}`);
console.log(
  `${answered} requests, ${failed.length} failed, ${repeated} made again because their connection had ended; ` +
    `${counts.join(', ')}; ${memory[1] ?? memory[0]} MB after a minute, ${memory.at(-1)} MB at the end`,
);
process.exit(failed.length > 0 ? 1 : 0);
