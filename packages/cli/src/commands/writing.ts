import { usageError } from '../base/cli-error.ts';
import { type Arguments, textOption } from '../session/command.ts';

export const FIELD_MANAGER = {
  type: 'string',
  value: 'NAME',
  help: 'Who writes; shown by get --show-managed-fields. Default: rollcall-COMMAND',
} as const;

export const SUBRESOURCE = {
  type: 'string',
  value: 'status',
  help: 'Only this part of the object: status',
} as const;

/** The name that is kept as that of the writer. */
export function managerOf(given: Arguments, command: string): string {
  return textOption(given, 'field-manager') ?? `rollcall-${command}`;
}

/** Whether `--subresource=status` is given. */
export function isForStatus(given: Arguments): boolean {
  const text = textOption(given, 'subresource');
  if (text === undefined || text === 'status') return text !== undefined;
  throw usageError(`invalid subresource value: "${text}". Must be one of [status]`);
}
