export { declare, declaredPort, endpoint, FakeCatalog } from './fake-catalog.ts';
