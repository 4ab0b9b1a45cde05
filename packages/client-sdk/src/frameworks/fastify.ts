import type { FastifyInstance } from 'fastify';
import type { Rollcall } from '../rollcall.ts';
import { InstanceServer } from '../serving/instance-server.ts';
import { clientOf, type FrameworkOptions } from './framework-options.ts';

export interface RollcallPluginOptions extends FrameworkOptions {}

declare module 'fastify' {
  interface FastifyInstance {
    /** The client of `@rollcall/client-sdk/fastify`: `app.rollcall.fetch('http://orders.rollcall/')`. */
    rollcall: Rollcall;
  }
}

/** What Fastify calls when it is closed: those that are added last are called first. */
interface Closing {
  onClose(call: () => Promise<void>): unknown;
}

async function plugin(app: FastifyInstance, options: RollcallPluginOptions): Promise<void> {
  const { rollcall: given, ...instanceOptions } = options;
  const client = clientOf(given);
  const { rollcall } = client;
  app.decorate('rollcall', rollcall);
  const instance = new InstanceServer(rollcall, app.server, instanceOptions, app);
  instance.drained.catch((err: unknown) => app.log.error({ err }, 'Rollcall: the instance failed'));
  const drain = async () => {
    await instance.drain().catch(() => undefined);
  };
  app.addHook('onReady', async () => {
    // Before Fastify begins to close: by the hook `preClose` it already refuses requests with 503.
    (app as FastifyInstance & Closing).onClose(drain);
  });
  app.addHook('onClose', () => client.close());
}

/**
 * A plugin of Fastify 4 (from 4.23) and 5: `app.register(rollcallPlugin, { rollcall: { url }, service: 'orders' })`. The
 * instance is on the roll once the server listens, with the status that `readiness` says. `app.close()` first lets it
 * leave without failing a call; SIGTERM and SIGINT do that, close the application and end the process, unless the
 * application listens to the signal itself. Adds `app.rollcall`, for all plugins.
 *
 * Registering it rejects with a {@link RollcallError} `invalid_options` that names the option. If the registry refuses
 * the instance, this is logged, and the application goes on.
 */
export const rollcallPlugin: typeof plugin = Object.assign(plugin, {
  // Read by Fastify, as fastify-plugin sets it: what is added here belongs to the parent.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'rollcall',
  [Symbol.for('plugin-meta')]: { name: '@rollcall/client-sdk/fastify', fastify: '>=4.23.0 <6' },
});
