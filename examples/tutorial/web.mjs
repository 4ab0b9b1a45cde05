// A small web server that stands for a real one: `node web.mjs NAME ADDRESS PORT` answers every request with NAME.
import { createServer } from 'node:http';

const [name = 'web', address = '127.0.0.1', port = '3000'] = process.argv.slice(2);
const server = createServer((_request, response) => response.end(`${name}\n`));
server.listen(Number(port), address);
process.on('SIGTERM', () => server.close(() => process.exit()));
