#!/usr/bin/env node
import { runLoadBalancer } from './program.ts';

await runLoadBalancer();
