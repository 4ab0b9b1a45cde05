import { ChangeRefused } from '../config/change-refused.ts';
import type { ListenerTlsConfig } from '../config/schema.ts';
import { FileFault } from './files/file-fault.ts';

type Path = readonly PropertyKey[];

/** Runs `prepare`. @throws ChangeRefused instead of a FileFault, with the place of the file in the configuration. */
export function refusingFiles<T>(pathOf: (fault: FileFault) => Path, prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    throw new ChangeRefused(error.message, pathOf(error), { cause: error });
  }
}

/** Where a listener's configuration names a file. */
export function filePath({ certificates }: ListenerTlsConfig, fault: FileFault): Path {
  const { field, path } = fault;
  const index = certificates.findIndex((files) => Object.values(files).includes(path));
  return field === 'clientCa' || index === -1 ? [field] : ['certificates', index, field];
}
