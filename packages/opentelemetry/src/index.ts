export { RollcallInstrumentation, type RollcallInstrumentationConfig } from './instrumentation.ts';
