import type { Connector } from '@rollcall/dataplane';
import type { ProbeWay } from '../health/http-probe.ts';

/** How targets are reached, by requests and by checks. */
export type TargetWay = Connector & ProbeWay;
