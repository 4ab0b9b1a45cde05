/** Why a field is refused, with the names of the Kubernetes API server. */
export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueDuplicate'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid';

/** One fault of a manifest. */
export interface FieldError {
  readonly reason: FieldErrorReason;
  /** e.g. `spec.ports[0].nodePort`. */
  readonly field: string;
  /** Without the field: `Invalid value: 32768: provided port is not in the valid range…`. */
  readonly message: string;
}

/** Field and fault in one line, as kubectl prints them. */
export function textOf({ field, message }: FieldError): string {
  return `${field}: ${message}`;
}

/** A value as the API server prints it: strings quoted, null and objects as JSON. */
function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

export function required(field: string, detail = ''): FieldError {
  const message = detail === '' ? 'Required value' : `Required value: ${detail}`;
  return { reason: 'FieldValueRequired', field, message };
}

export function invalid(field: string, value: unknown, detail: string): FieldError {
  const message = `Invalid value: ${shown(value)}: ${detail}`;
  return { reason: 'FieldValueInvalid', field, message };
}

/** A fault for each one that a check finds. */
export function invalidEach<T>(
  field: string,
  value: T,
  check: (value: T) => string[],
): FieldError[] {
  return check(value).map((fault) => invalid(field, value, fault));
}

export function notSupported(
  field: string,
  value: unknown,
  supported: readonly string[],
): FieldError {
  const values = supported.toSorted().map(shown).join(', ');
  const message = `Unsupported value: ${shown(value)}: supported values: ${values}`;
  return { reason: 'FieldValueNotSupported', field, message };
}

export function forbidden(field: string, detail: string): FieldError {
  return { reason: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` };
}

export function duplicate(field: string, value: unknown): FieldError {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${shown(value)}` };
}

export function tooLong(field: string, maxLength: number): FieldError {
  const message = `Too long: may not be more than ${maxLength} bytes`;
  return { reason: 'FieldValueTooLong', field, message };
}

export function tooMany(field: string, count: number, max: number): FieldError {
  const message = `Too many: ${count}: must have at most ${max} items`;
  return { reason: 'FieldValueTooMany', field, message };
}
