import type { Service } from '@rollcall/client-sdk';
import { ChaosProxy, findRedisBinary, RedisProcess } from '@rollcall/testkit';
import { type Actor, Scene } from '../support/scene.ts';
import type { RegistryProcess } from '../support/stack.ts';

/**
 * Long enough that a heartbeat which waited 2 s in vain for a silent server still arrives in time through another one.
 */
const TTL_MS = 6_000;
const INSTANCES = 6;
const SERVERS = 3;

/** A registry server and the proxy through which it is reached. */
export interface Site {
  readonly name: string;
  readonly proxy: ChaosProxy;
  server: RegistryProcess;
}

/** Everything that a soak runs: Redis, registry servers, instances, a balancer, clients. */
export class Fleet {
  readonly ttlMs = TTL_MS;
  /** Names of the watchers and callers, which may be cut off from a server. */
  readonly watchers = ['sdk', 'picker'];
  readonly scene: Scene;
  readonly redis: RedisProcess;
  /** The proxy between the servers and Redis. */
  readonly storeWay: ChaosProxy;
  readonly sites: Site[] = [];
  readonly actors: Actor[] = [];
  balancerPid = 0;
  #service: Service | undefined;
  #serial = 0;

  private constructor(scene: Scene, redis: RedisProcess, storeWay: ChaosProxy) {
    this.scene = scene;
    this.redis = redis;
    this.storeWay = storeWay;
  }

  static async start(): Promise<Fleet> {
    // Loose limits: on a small machine a burst of work may stop everything for a moment. Other tests
    // measure the promise about kills.
    const scene = new Scene({ ttlMs: TTL_MS, heldMs: 1_500, slackMs: 2_000, lagMs: 2_000 });
    try {
      const binary = await findRedisBinary();
      if (binary === undefined) throw new Error('no redis-server on this machine');
      const redis = await RedisProcess.start(binary, { isDurable: true });
      scene.onClose(() => redis.close());
      const storeWay = await ChaosProxy.start(redis.port);
      scene.onClose(() => storeWay.close());
      const fleet = new Fleet(scene, redis, storeWay);
      await fleet.#fill();
      return fleet;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  get urls(): string[] {
    return this.sites.map(({ proxy }) => `http://127.0.0.1:${proxy.port}`);
  }

  get service(): Service {
    if (this.#service === undefined) throw new Error('the fleet is not complete');
    return this.#service;
  }

  /** Starts a registry server; `port`: in place of one that ended. */
  startServer(port?: number): Promise<RegistryProcess> {
    const flags = ['--store', `redis://127.0.0.1:${this.storeWay.port}`];
    return this.scene.stack.registry(flags, port);
  }

  /** Starts another instance, with a new name or that of an earlier one. */
  async hire(name = `i${++this.#serial}`): Promise<Actor> {
    const actor = await this.scene.actor(name, { urls: this.urls });
    this.actors.push(actor);
    return actor;
  }

  dismiss(actor: Actor): void {
    this.actors.splice(this.actors.indexOf(actor), 1);
  }

  /** Waits until all running instances are in use. */
  async whole(): Promise<void> {
    const names = this.actors.map(({ instance }) => instance);
    await this.scene.inUse(this.service, names, 2 * TTL_MS + 10_000);
  }

  async #fill(): Promise<void> {
    const { scene } = this;
    for (let i = 0; i < SERVERS; i++) {
      const server = await this.startServer();
      const proxy = await ChaosProxy.start(server.port);
      scene.onClose(() => proxy.close());
      this.sites.push({ name: `server ${i}`, proxy, server });
    }
    for (let i = 0; i < INSTANCES; i++) await this.hire();
    this.#service = await scene.watch('sdk', this.urls);
    scene.rawWatch('stream', this.urls);
    this.watchers.push('stream');
    scene.pick('picker', await scene.watch('picker', this.urls));
    scene.call('calls', await scene.watch('calls picture', this.urls), { pauseMs: 20 });
    this.watchers.push('calls picture');
    const balancer = await scene.stack.balancer(this.urls, { service: 'work' });
    this.balancerPid = balancer.process.pid;
    scene.callUrls('balanced calls', [balancer.url], { pauseMs: 20, concurrency: 2 });
  }
}
