#!/usr/bin/env node
import { runRegistry } from './program.ts';

await runRegistry();
