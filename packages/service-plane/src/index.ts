export {
  openPlane,
  type OpenPlane,
  type PlaneOptions,
  type PlaneParts,
} from './plane/open-plane.ts';
export {
  bindReasonOf,
  type Frontend,
  type FrontendState,
  type FrontendStatus,
  type ServicePlane,
} from './plane/service-plane.ts';
export { UserspacePlane, type UserspaceParts } from './plane/userspace-plane.ts';
export { ReportKeeper } from './reports/report-keeper.ts';
export {
  keepReports,
  NO_REPORTS,
  type Report,
  type ReportPort,
  reporterOf,
  type ServiceReports,
  type ServiceReportsOptions,
} from './reports/service-reports.ts';
export { describePorts, formatAddress, unsupportedCondition } from './services/describe.ts';
export {
  type ServedPlace,
  ServedService,
  type ServedServiceParts,
} from './services/served-service.ts';
export {
  type ReportingService,
  type ReportListener,
  ServedServices,
  type ServiceKind,
} from './services/served-services.ts';
