// Calls a service with axios: each request goes to an instance of its own choice.
import { Rollcall } from '@rollcall/client-sdk';
import { createHttpAgent } from '@rollcall/client-sdk/http';
import axios from 'axios';

const rollcall = new Rollcall({ url: process.env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' });
const http = axios.create({
  baseURL: 'http://hello.rollcall',
  httpAgent: createHttpAgent(rollcall),
  proxy: false, // else HTTP_PROXY is called instead of the agent
});

for (let i = 0; i < 6; i++) {
  const { data } = await http.get<string>('/');
  console.log(data.trim());
}
await rollcall.close();
