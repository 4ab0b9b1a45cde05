export { StartError } from '@rollcall/daemon';
export type { ReportPort } from '@rollcall/service-plane';
export { type LoadBalancer, type LoadBalancerParts, startLoadBalancer } from './compose.ts';
export { parseConfig, readConfigFile } from './config/config-file.ts';
export { ConfigError } from './config/problem.ts';
export type { Config, TargetGroupConfig } from './config/schema.ts';
export type { TargetSource } from './groups/target-source.ts';
export type { TicketKeys } from './tls/ticket-keys.ts';
export { OPTIONS, runLoadBalancer } from './program.ts';
