import {
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Module,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { Rollcall } from '../rollcall.ts';
import { clientOf, type FrameworkOptions, type OwnedClient } from './framework-options.ts';

/** Token of the options of the module. */
export const OPTIONS = Symbol('options of RollcallModule');
const CLIENT = Symbol('client of RollcallModule');

/** Gives the client to the whole application. Nest shuts a global module down after all others. */
class RollcallClientModule {
  readonly #client: OwnedClient;

  constructor(client: OwnedClient) {
    this.#client = client;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#client.close();
  }
}

// What decorators would do.
Module({})(RollcallClientModule);
Inject(CLIENT)(RollcallClientModule, undefined, 0);

const client: FactoryProvider<OwnedClient> = {
  provide: CLIENT,
  inject: [OPTIONS],
  useFactory: ({ rollcall }: FrameworkOptions) => clientOf(rollcall),
};
const injected: FactoryProvider<Rollcall> = {
  provide: Rollcall,
  inject: [CLIENT],
  useFactory: ({ rollcall }: OwnedClient) => rollcall,
};

/** The module that holds options and client. `options` is the provider of {@link OPTIONS}. */
export function clientModule(
  options: Provider,
  imports: NonNullable<ModuleMetadata['imports']> = [],
): DynamicModule {
  const providers = [options, client, injected];
  return {
    module: RollcallClientModule,
    global: true,
    imports,
    providers,
    exports: [OPTIONS, Rollcall],
  };
}
