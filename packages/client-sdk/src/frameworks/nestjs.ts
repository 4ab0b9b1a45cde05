import {
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Logger,
  Module,
  type ModuleMetadata,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Rollcall } from '../rollcall.ts';
import type { HttpServer } from '../serving/http-ending.ts';
import { InstanceServer } from '../serving/instance-server.ts';
import type { FrameworkOptions } from './framework-options.ts';
import { clientModule, OPTIONS } from './nestjs-client.ts';

export interface RollcallModuleOptions extends FrameworkOptions {}

/** As `forRootAsync` of other modules takes it. */
export interface RollcallModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly inject?: NonNullable<FactoryProvider['inject']>;
  readonly useFactory: FactoryProvider<RollcallModuleOptions>['useFactory'];
}

/**
 * Puts the HTTP server of the application on the roll once it listens, and lets it leave without failing a call when
 * Nest shuts down: at `app.close()`, and on a signal, with `app.enableShutdownHooks()` or without. `Rollcall` can be
 * injected everywhere. An application without an HTTP server gets the client alone. Import it last in the root module:
 * Nest shuts down in the reverse order, and what calls need must still be there while they end.
 *
 * Nest does not start if an option is wrong: a {@link RollcallError} `invalid_options` names it. If the registry
 * refuses the instance, this is logged, and the application goes on.
 */
export class RollcallModule {
  readonly #rollcall: Rollcall;
  readonly #options: RollcallModuleOptions;
  readonly #host: HttpAdapterHost;
  #instance: InstanceServer | undefined;

  /** Called by Nest. */
  constructor(rollcall: Rollcall, options: RollcallModuleOptions, host: HttpAdapterHost) {
    this.#rollcall = rollcall;
    this.#options = options;
    this.#host = host;
  }

  static forRoot(options: RollcallModuleOptions): DynamicModule {
    return {
      module: RollcallModule,
      imports: [clientModule({ provide: OPTIONS, useValue: options })],
    };
  }

  static forRootAsync(options: RollcallModuleAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory } = options;
    const provider = { provide: OPTIONS, inject, useFactory };
    return { module: RollcallModule, imports: [clientModule(provider, imports)] };
  }

  /** Called by Nest, which listens afterwards. */
  onApplicationBootstrap(): void {
    const server: unknown = this.#host.httpAdapter?.getHttpServer();
    if (!isServer(server)) return;
    const { rollcall: _, ...options } = this.#options;
    // Nest closes itself on a signal if it was told to, and else ends with the process.
    const application = { close: async () => {} };
    this.#instance = new InstanceServer(this.#rollcall, server, options, application);
    this.#instance.drained.catch((error: Error) =>
      new Logger('Rollcall').error(`the instance failed: ${error.message}`, error.stack),
    );
  }

  /** Called by Nest before it closes the server. */
  async onModuleDestroy(): Promise<void> {
    await this.#instance?.drain().catch(() => undefined);
  }
}

function isServer(given: unknown): given is HttpServer {
  return typeof given === 'object' && given !== null && 'address' in given;
}

// What decorators would do.
Module({})(RollcallModule);
for (const [index, token] of [Rollcall, OPTIONS, HttpAdapterHost].entries())
  Inject(token)(RollcallModule, undefined, index);
