import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '@rollcall/daemon';
import { ManualClock } from '@rollcall/runtime/testing';
import { until } from '@rollcall/testkit';
import { startRegistryServer } from '../compose.ts';
import { readConfig } from '../config.ts';
import { RefusedTokens } from './refused-tokens.ts';

test('the first leaves a line at once, those of the next second one together', () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const refused = new RefusedTokens(clock, (why, { peerAddress, method, route }, count) => {
    lines.push(`${why} ${peerAddress} ${method} ${route} ${count}`);
  });
  const call = (peerAddress: string) => ({
    peerAddress,
    method: 'PUT',
    route: '/v1/leases/:lease',
  });
  for (let i = 0; i < 5; i++) refused.note('unauthenticated', call(`10.0.0.${i}`));
  refused.note('forbidden', call('10.0.0.9'));
  expect(lines).toEqual([
    'unauthenticated 10.0.0.0 PUT /v1/leases/:lease 1',
    'forbidden 10.0.0.9 PUT /v1/leases/:lease 1',
  ]);
  clock.advance(1_000);
  expect(lines.slice(2)).toEqual(['unauthenticated 10.0.0.4 PUT /v1/leases/:lease 4']);
  clock.advance(10_000);
  expect(lines).toHaveLength(3);
  refused.note('unauthenticated', call('10.0.0.1'));
  expect(lines).toHaveLength(4);
});

test('a server tells who comes with a wrong token, or one that may not, in a few lines and without the token', async () => {
  let text = '';
  const logger = createLogger('info', { write: (line) => void (text += line) });
  const flags = [
    '--port=0',
    '--token=admin-token-0123456789',
    '--token=reader-token-0123456789=read',
  ];
  const server = await startRegistryServer(readConfig(flags, {}), { logger, version: '0.0.0' });
  onTestFinished(() => server.close());
  const refused = () =>
    text
      .split('\n')
      .filter((line) => /"why":"(unauthenticated|forbidden)"/.test(line))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const wrong = 'wrong-token-0123456789';
  const ask = async (token: string) => {
    const url = `${server.url}/v1/namespaces/default/services/orders/instances/a`;
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(url, { method: 'DELETE', headers })).status;
  };
  for (let i = 0; i < 20; i++) expect(await ask(wrong)).toBe(401);
  expect(await ask('reader-token-0123456789')).toBe(403);
  await until(() => refused().length >= 3);
  expect(refused().length).toBeLessThan(6);
  expect(refused()[0]).toMatchObject({ level: 40, why: 'unauthenticated', count: 1 });
  for (const secret of [wrong, 'reader-token', 'admin-token']) expect(text).not.toContain(secret);
});
