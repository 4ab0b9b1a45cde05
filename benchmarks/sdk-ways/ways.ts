import { request as httpRequest, Agent as HttpAgent } from 'node:http';
import { Client, credentials } from '@grpc/grpc-js';
import { createHttpAgent } from '@rollcall/client-sdk/http';
import { registerGrpcResolver } from '@rollcall/client-sdk/grpc';
import axios from 'axios';
import got from 'got';
import {
  CONNECTIONS,
  inTurn,
  openRollcall,
  type Surroundings,
  type Way,
  type Ways,
} from '../support/calls/way.ts';
import { ECHO } from './echo.ts';

const URL_OF_SERVICE = 'http://orders.rollcall/';

/** The addresses, one after another: what a developer who knows them would write by hand. */
const addressesOf = ({ backends }: Surroundings) =>
  inTurn(backends.map((port) => `http://127.0.0.1:${port}/`));

const ownAgent = () => new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS });

/** A way by a promise of a complete answer. */
function overPromise(call: () => Promise<unknown>, close: () => unknown): Way {
  const run = async (done: () => void) => {
    await call();
    done();
  };
  return { call: (done) => void run(done), close: async () => close() };
}

function overNode(urlOf: () => string, agent: HttpAgent, close: () => unknown): Way {
  return {
    call: (done) => {
      httpRequest(urlOf(), { agent }, (reply) => reply.resume().on('end', done)).end();
    },
    close: async () => close(),
  };
}

function overGrpc(next: () => Client, close: () => unknown): Way {
  const same = (bytes: Buffer) => bytes;
  const message = Buffer.alloc(1_024);
  return {
    call: (done) => {
      next().makeUnaryRequest(ECHO.path, same, same, message, (error) => {
        if (error !== null) throw error;
        done();
      });
    },
    close: async () => close(),
  };
}

const readAll = async (reply: Promise<Response>) => (await reply).arrayBuffer();

/** The compared ways, by name. */
export const WAYS: Ways = {
  fetch: async (given) => {
    const next = addressesOf(given);
    return overPromise(
      () => readAll(fetch(next())),
      () => {},
    );
  },
  'SDK, fetch': async (given) => {
    const { rollcall } = await openRollcall(given);
    return overPromise(
      () => readAll(rollcall.fetch(URL_OF_SERVICE)),
      () => rollcall.close(),
    );
  },
  'node:http': async (given) => {
    const agent = ownAgent();
    return overNode(addressesOf(given), agent, () => agent.destroy());
  },
  'SDK, node:http': async (given) => {
    const { rollcall } = await openRollcall(given);
    return overNode(
      () => URL_OF_SERVICE,
      createHttpAgent(rollcall),
      () => rollcall.close(),
    );
  },
  axios: async (given) => {
    const [next, httpAgent] = [addressesOf(given), ownAgent()];
    const client = axios.create({ httpAgent, proxy: false });
    return overPromise(
      () => client.get(next()),
      () => httpAgent.destroy(),
    );
  },
  'SDK, axios': async (given) => {
    const { rollcall } = await openRollcall(given);
    const client = axios.create({ httpAgent: createHttpAgent(rollcall), proxy: false });
    return overPromise(
      () => client.get(URL_OF_SERVICE),
      () => rollcall.close(),
    );
  },
  got: async (given) => {
    const [next, agent] = [addressesOf(given), ownAgent()];
    return overPromise(
      () => got(next(), { agent: { http: agent } }).text(),
      () => agent.destroy(),
    );
  },
  'SDK, got': async (given) => {
    const { rollcall } = await openRollcall(given);
    const agent = { http: createHttpAgent(rollcall) };
    return overPromise(
      () => got(URL_OF_SERVICE, { agent }).text(),
      () => rollcall.close(),
    );
  },
  gRPC: async ({ backends }) => {
    const clients = backends.map(
      (port) => new Client(`127.0.0.1:${port}`, credentials.createInsecure()),
    );
    return overGrpc(inTurn(clients), () => clients.forEach((client) => client.close()));
  },
  'SDK, gRPC': async (given) => {
    const { rollcall } = await openRollcall(given);
    registerGrpcResolver(rollcall);
    const client = new Client('rollcall:///orders', credentials.createInsecure());
    const close = async () => {
      client.close();
      await rollcall.close();
    };
    return overGrpc(() => client, close);
  },
};
