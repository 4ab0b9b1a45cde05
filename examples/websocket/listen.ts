// A client of the chat that stays connected: when its instance leaves or dies, it goes to another one.
import { setTimeout as sleep } from 'node:timers/promises';
import { Rollcall } from '@rollcall/client-sdk';
import { WebSocket } from 'ws';

const rollcall = new Rollcall({ url: process.env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' });
const chat = rollcall.service('chat');

for (;;) {
  await chat.ready();
  const picked = chat.pick();
  if (picked.kind === 'none') continue;
  const { address, port } = picked.endpoint;
  const socket = new WebSocket(`ws://${address.includes(':') ? `[${address}]` : address}:${port}`);
  let isOpen = false;
  socket.on('open', () => {
    isOpen = true;
    socket.send('hello');
  });
  socket.addEventListener('message', ({ data }) => console.log(data));
  socket.on('error', (error) => console.error(error.message));
  const code = await new Promise<number>((resolve) => socket.once('close', resolve));
  console.log(`closed with ${code}`);
  // An instance that fails is left out for a while.
  picked.done(code === 1001 ? 'ok' : isOpen ? 'failed' : 'connect_failed');
  if (code !== 1001) await sleep(100 + 400 * Math.random());
}
