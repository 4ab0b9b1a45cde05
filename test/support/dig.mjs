// Stands in for dig where there is none, as far as the documents use it: dig +short @HOST -p PORT [TYPE] NAME.
import { Resolver } from 'node:dns/promises';

const words = process.argv.slice(2).filter((word) => word !== '+short');
const portAt = words.indexOf('-p');
const [, port] = words.splice(portAt, 2);
const server = words.find((word) => word.startsWith('@'))?.slice(1);
const [name, type = 'A'] = words.filter((word) => !word.startsWith('@')).toReversed();

const LINES = {
  A: (answer) => answer,
  CNAME: (answer) => `${answer}.`,
  SRV: ({ priority, weight, port: at, name: target }) => `${priority} ${weight} ${at} ${target}.`,
};

const resolver = new Resolver({ tries: 2 });
resolver.setServers([`${server}:${port}`]);
try {
  const answers = await resolver.resolve(name, type);
  process.stdout.write(answers.map((answer) => `${LINES[type](answer)}\n`).join(''));
} catch (error) {
  // As with dig, a name without addresses is no error.
  if (error.code !== 'ENODATA' && error.code !== 'ENOTFOUND') throw error;
}
