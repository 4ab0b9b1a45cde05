type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a variable. Empty counts as not set, as everywhere in OpenTelemetry. */
export const setIn = (environment: Environment, name: string): string | undefined => {
  const value = environment[name]?.trim();
  return value === '' ? undefined : value;
};

/** The variable that turns traces on; undefined = they are off. */
export function tracingVariable(environment: Environment): string | undefined {
  if (setIn(environment, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  if (setIn(environment, 'OTEL_TRACES_EXPORTER') === 'none') return undefined;
  const names = [
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_TRACES_EXPORTER',
  ];
  return names.find((name) => setIn(environment, name) !== undefined);
}

/** Whether the environment says which service the spans are of. */
export function namesService(environment: Environment): boolean {
  const attributes = setIn(environment, 'OTEL_RESOURCE_ATTRIBUTES') ?? '';
  return (
    setIn(environment, 'OTEL_SERVICE_NAME') !== undefined ||
    /(?:^|,)\s*service\.name\s*=/.test(attributes)
  );
}
