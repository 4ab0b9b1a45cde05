import { Agent, Pool } from 'undici';
import { RequestTrace } from '../../packages/client-sdk/src/diagnostics/request-trace.ts';
import {
  CONNECTIONS,
  CountingHandler,
  drain,
  inTurn,
  openRollcall,
  REQUEST,
  type Surroundings,
  type Ways,
} from '../support/calls/way.ts';

const ORIGIN = 'http://orders.rollcall';

/** Three pools in turn: what a developer who knows the addresses would write by hand. */
function poolsInTurn({ backends }: Surroundings) {
  const pools = backends.map((port) => {
    return new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS, allowH2: false });
  });
  return { next: inTurn(pools), close: () => Promise.all(pools.map((pool) => pool.destroy())) };
}

/** The compared ways, by name. */
export const WAYS: Ways = {
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
  'SDK, dispatch without diagnostics': async (given) => {
    // Each way has a process of its own.
    RequestTrace.begin = () => undefined;
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
