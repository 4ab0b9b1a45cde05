#!/usr/bin/env node
import { runDnsServer } from './program.ts';

await runDnsServer();
