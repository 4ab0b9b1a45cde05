import { inject } from 'vitest';
import { memoryHarness, redisHarness } from '../testing/store-harness.ts';
import { storeConformance } from '../testing/store-conformance.ts';

storeConformance('memory', memoryHarness);
storeConformance('redis', redisHarness(inject('redisUrl')));
