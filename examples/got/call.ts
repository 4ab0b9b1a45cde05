// Calls a service with got: each request goes to an instance of its own choice, and got's retries go to another one.
import { Rollcall } from '@rollcall/client-sdk';
import { createHttpAgent } from '@rollcall/client-sdk/http';
import got from 'got';

const rollcall = new Rollcall({ url: process.env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' });
const http = got.extend({
  prefixUrl: 'http://hello.rollcall',
  agent: { http: createHttpAgent(rollcall) },
});

for (let i = 0; i < 6; i++) {
  console.log((await http('').text()).trim());
}
await rollcall.close();
