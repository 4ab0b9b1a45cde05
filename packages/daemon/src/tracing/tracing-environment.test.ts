import { expect, test } from 'vitest';
import { namesService, tracingVariable } from './tracing-environment.ts';

test.each([
  [{}, undefined],
  [{ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, undefined],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/x' }, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'OTEL_TRACES_EXPORTER'],
  [{ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' }, undefined],
  [{ OTEL_SDK_DISABLED: 'TRUE', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' }, undefined],
  [
    { OTEL_SDK_DISABLED: 'false', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' },
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ],
])('%j turns traces on by %s', (environment, variable) => {
  expect(tracingVariable(environment)).toBe(variable);
});

test('the name of the service is the environment’s, if it has one', () => {
  expect(namesService({})).toBe(false);
  expect(namesService({ OTEL_SERVICE_NAME: '' })).toBe(false);
  expect(namesService({ OTEL_SERVICE_NAME: 'edge' })).toBe(true);
  expect(namesService({ OTEL_RESOURCE_ATTRIBUTES: 'a=b, service.name=edge' })).toBe(true);
  expect(namesService({ OTEL_RESOURCE_ATTRIBUTES: 'my.service.name=edge' })).toBe(false);
});
