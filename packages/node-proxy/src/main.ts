#!/usr/bin/env node
import { runNodeProxy } from './program.ts';

await runNodeProxy();
