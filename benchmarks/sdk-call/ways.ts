import { Rollcall } from '@rollcall/client-sdk';
import { Agent, Pool } from 'undici';
import { CONNECTIONS, CountingHandler, drain, REQUEST, type Way } from './way.ts';

export interface Surroundings {
  readonly registryUrl: string;
  readonly backends: readonly number[];
}

type CreateWay = (given: Surroundings) => Promise<Way>;

const SERVICE = 'orders';
const ORIGIN = 'http://orders.rollcall';

/** Three pools in turn: what a developer who knows the addresses would write by hand. */
function poolsInTurn({ backends }: Surroundings) {
  const pools = backends.map((port) => {
    return new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS, allowH2: false });
  });
  let at = 0;
  const next = () => {
    at = at + 1 === pools.length ? 0 : at + 1;
    return pools[at]!;
  };
  return { next, close: () => Promise.all(pools.map((pool) => pool.destroy())) };
}

async function openRollcall({ registryUrl, backends }: Surroundings) {
  const calls = { maxConnections: CONNECTIONS };
  const rollcall = new Rollcall({ url: registryUrl, policy: 'p2c', calls });
  const service = rollcall.service(SERVICE);
  await service.ready();
  if (service.endpoints().length !== backends.length) throw new Error('not all on the roll');
  return { rollcall, service };
}

/** The compared ways, by name. */
export const WAYS: Readonly<Record<string, CreateWay>> = {
  'pools, dispatch': async (given) => {
    const { next, close } = poolsInTurn(given);
    return { call: (done) => next().dispatch(REQUEST, new CountingHandler(done)), close };
  },
  'SDK, interceptor, dispatch': async (given) => {
    const { rollcall } = await openRollcall(given);
    const agent = new Agent().compose(rollcall.interceptor());
    const request = { ...REQUEST, origin: ORIGIN };
    return {
      call: (done) => agent.dispatch(request, new CountingHandler(done)),
      close: () => rollcall.close(),
    };
  },
  'pools, request': async (given) => {
    const { next, close } = poolsInTurn(given);
    return { call: (done) => void drain(next().request(REQUEST), done), close };
  },
  'SDK, interceptor, request': async (given) => {
    const { rollcall } = await openRollcall(given);
    const agent = new Agent().compose(rollcall.interceptor());
    const request = { ...REQUEST, origin: ORIGIN };
    return {
      call: (done) => void drain(agent.request(request), done),
      close: () => rollcall.close(),
    };
  },
  'SDK, service.request': async (given) => {
    const { rollcall, service } = await openRollcall(given);
    return {
      call: (done) => void drain(service.request('/'), done),
      close: () => rollcall.close(),
    };
  },
};
