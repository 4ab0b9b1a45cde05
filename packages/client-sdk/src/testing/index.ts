export { declare, declaredPort, endpoint, FakeCatalog } from './fake-catalog.ts';
export { endpointAt, FakeRegistry, FakeStream, type Seen } from './fake-registry.ts';
export type {
  RegistryTransport,
  ReplyBody,
  TransportReply,
  TransportRequest,
} from '../base/transport.ts';
export type { Runtime } from '../base/runtime.ts';
