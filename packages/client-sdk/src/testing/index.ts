export { declare, declaredPort, endpoint, FakeCatalog } from './fake-catalog.ts';
export type { CallRequest, RegistryApi, ReplyOf } from '../registry/registry-api.ts';
export { errorOfReply } from '../registry/reply.ts';
export type { Runtime } from '../base/runtime.ts';
