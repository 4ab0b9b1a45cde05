import { handleBindings } from '../io/handle-bindings.ts';
import { HandleTransport } from '../io/handle-transport.ts';
import { NetTransport, type NetTransportOptions } from '../io/net-transport.ts';
import { isOverTls, TlsTransport } from './tls-under-test.ts';
import type { Transport } from '../io/transport.ts';

/** The transport that this test run uses: TEST_IO=handle selects bare handles, TEST_IO=tls and tls-handle speak TLS. */
export function transportUnderTest(options: NetTransportOptions = {}): Transport {
  if (isOverTls()) return new TlsTransport();
  if (process.env['TEST_IO'] !== 'handle') return new NetTransport(options);
  const io = handleBindings();
  if (io === undefined) throw new Error('this Node.js has no bare handles');
  return new HandleTransport(io, options);
}
