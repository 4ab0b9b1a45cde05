import { systemClock } from '@rollcall/runtime';
import { expect, test, vi } from 'vitest';
import { parseConfig } from '../../config/config-file.ts';
import { TlsFiles } from '../../testing/tls-files.ts';
import { TlsListener } from './tls-listener.ts';

const BOUNDS = { timeouts: { handshakeMs: 1_000 }, limits: { handshakes: 10 } };

/** Makes settings ready, of which `more` are some keys below `tls`. */
function start() {
  const files = new TlsFiles();
  const { cert, key } = files.issue('a', { names: ['a.test'] }).files;
  let ticketKey = Buffer.alloc(48, 1);
  const parts = {
    clock: systemClock,
    wallMs: () => systemClock.wallMs(),
    ticketKey: () => ticketKey,
  };
  const prepare = (more: string, known?: TlsListener) => {
    const tls = `{ certificates: [{ cert: ${cert}, key: ${key} }]${more} }`;
    const listener = `{ name: web, port: 0, protocol: https, tls: ${tls} }`;
    const config = parseConfig(
      `registry: { url: http://127.0.0.1:1 }\nlisteners: [${listener}]\ntargetGroups: {}`,
      'lb.yaml',
      {},
    );
    const wanted = { name: 'web', tls: config.listeners[0]!.tls!, ...BOUNDS };
    return TlsListener.prepare(wanted, known, parts);
  };
  const changeKey = () => {
    ticketKey = Buffer.alloc(48, 2);
  };
  return { files, prepare, changeKey };
}

test('the same settings are the same listener, other ones have its acceptor', () => {
  const { prepare } = start();
  const first = prepare('');
  first.commit();
  expect(prepare('', first.listener).listener).toBe(first.listener);
  const other = prepare(', minVersion: TLSv1.3', first.listener);
  expect(other.listener).not.toBe(first.listener);
  expect(other.listener.acceptor).toBe(first.listener.acceptor);
});

test('files of settings that are not used any more do not come back', async () => {
  const { files, prepare } = start();
  const first = prepare('');
  first.commit();
  const replace = vi.spyOn(first.listener.acceptor, 'replace');
  const renew = async () => {
    files.issue('a', { names: ['a.test'] });
    await first.listener.certificates.look();
    expect(await first.listener.certificates.look()).toBe(true);
  };
  await renew();
  expect(replace).toHaveBeenCalledTimes(1);
  prepare(', minVersion: TLSv1.3', first.listener).commit();
  await renew();
  expect(replace).toHaveBeenCalledTimes(1);
});

test('a ticket key that changes before the settings are used is used with them', () => {
  const { prepare, changeKey } = start();
  const first = prepare('');
  first.commit();
  const replace = vi.spyOn(first.listener.acceptor, 'replace');
  const next = prepare(', minVersion: TLSv1.3', first.listener);
  changeKey();
  next.commit();
  expect(replace).toHaveBeenCalledTimes(1);
  const [table] = replace.mock.calls[0]!;
  expect(table.fallback.ticketKeys).toEqual(Buffer.alloc(48, 2));
  expect(table.fallback.minVersion).toBe('TLSv1.3');
});
