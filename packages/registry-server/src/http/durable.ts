import type { Importer } from '../writes/durable/importer.ts';
import type { Picture } from '../picture/picture.ts';
import { answer } from './answer.ts';
import type { Binder } from './call.ts';
import { checkLoaded } from './loaded.ts';

export interface DurableSources {
  readonly picture: Picture;
  readonly importer: Importer;
  readonly maxImportBytes: number;
}

/** The calls that export and import the durable part. */
export function bindDurable(binder: Binder, sources: DurableSources): void {
  const { picture, importer, maxImportBytes } = sources;
  binder.bind('exportDurable', async () => importer.export(), { isLong: true });
  binder.bind(
    'importDurable',
    async ({ query, body, reply }) => {
      checkLoaded(picture);
      return answer(reply, await importer.import({ text: body, ...query }));
    },
    { isLong: true, maxBodyBytes: maxImportBytes },
  );
}
