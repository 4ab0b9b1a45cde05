// Causes random trouble on real processes for a given time and checks every step; exits
// with 1 when a promise was broken.
//
//     npm run soak -- --minutes 30 --seed 7
import { parseArgs } from 'node:util';
import { Soak } from './soak.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes ?? 30);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: expected a number above 0`);
if (!Number.isInteger(seed)) throw new Error(`--seed ${values.seed}: expected a whole number`);
console.log(`seed ${seed}`);
const isKept = await Soak.run({ minutes, seed, print: (line) => console.log(line) });
process.exit(isKept ? 0 : 1);
