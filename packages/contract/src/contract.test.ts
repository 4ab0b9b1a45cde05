import { describe, expect, test } from 'vitest';
import {
  InstancePatch,
  isDialable,
  isLeaseId,
  LabelKey,
  pathOf,
  Problem,
  ProblemError,
  PROBLEMS,
  Registration,
  ROUTES,
  type Route,
  shortLeaseId,
  STATE_TABLE,
  stateOf,
} from './index.ts';

describe('registration', () => {
  test('fills every default', () => {
    expect(Registration.parse({ ports: { http: 3000 } })).toEqual({
      ports: { http: { port: 3000, protocol: 'TCP' } },
      labels: {},
      zone: '',
      weight: 100,
      ttlMs: 10_000,
      status: 'up',
      persistent: false,
    });
  });

  test('keeps a weight of 0', () => {
    expect(Registration.parse({ ports: { http: 1 }, weight: 0 }).weight).toBe(0);
    expect(InstancePatch.parse({ weight: 0 })).toEqual({ weight: 0 });
  });

  test.each(['10.0.0.1', '::1', 'fe80::1', 'orders-1.internal', 'web.', '1a.x9', 'Web.Internal'])(
    'takes the address %s',
    (address) => {
      expect(Registration.parse({ ports: { http: 1 }, address }).address).toBe(address);
    },
  );

  test.each(['10.0.0.256', 'a b', '', 'http://x', '[::1]', 'x'.repeat(300)])(
    'refuses the address %j',
    (address) => {
      expect(Registration.safeParse({ ports: { http: 1 }, address }).success).toBe(false);
    },
  );

  test.each([
    'web.1.',
    'web.1',
    'a.0x1',
    'a.0x',
    '1.2.3',
    '0x7f.1',
    '127.1',
    '1',
    '0177.0.0.1',
    '1.2.3.4.',
  ])('refuses the address %j, which a url reads as something else or not at all', (address) => {
    expect(Registration.safeParse({ ports: { http: 1 }, address }).success).toBe(false);
  });

  test.each(['a%41', 'u@h', 'a/b', 'a#b', 'x:80', 'fe80::1%eth0', 'bücher.de', ' a', 'a\\b'])(
    'knows that %j cannot be dialled',
    (address) => {
      expect(isDialable(address)).toBe(false);
      expect(Registration.safeParse({ ports: { http: 1 }, address }).success).toBe(false);
    },
  );

  test.each(['app', 'example.com/app', 'a.b-c_d'])('takes the label key %s', (key) => {
    expect(LabelKey.safeParse(key).success).toBe(true);
  });

  test.each(['', '-a', 'a/b/c', '/a', 'A.com/x', 'x'.repeat(64)])(
    'refuses the label key %j',
    (key) => {
      expect(LabelKey.safeParse(key).success).toBe(false);
    },
  );
});

describe('states', () => {
  test('an override beats the report, and a doubt counts only against up', () => {
    expect(stateOf('up', undefined, undefined)).toBe('up');
    expect(stateOf('up', 'suspect', undefined)).toBe('suspect');
    expect(stateOf('draining', 'suspect', undefined)).toBe('draining');
    expect(stateOf('up', 'suspect', 'down')).toBe('down');
    expect(stateOf('down', undefined, 'up')).toBe('up');
  });

  test('whatever is ready has a tier, and nothing else has', () => {
    for (const { ready, serving, tier } of Object.values(STATE_TABLE)) {
      expect(tier !== null).toBe(ready);
      if (ready) expect(serving).toBe(true);
    }
  });
});

describe('problems', () => {
  test('a refusal becomes the document that the schema describes', () => {
    const error = new ProblemError('instance_taken', 'it is taken', { field: 'id' });
    expect(Problem.parse(error.toProblem())).toEqual({
      code: 'instance_taken',
      status: 409,
      title: PROBLEMS.instance_taken.title,
      retryable: false,
      field: 'id',
      detail: 'it is taken',
      message: 'it is taken',
    });
  });

  test('what is the server’s trouble may be tried again, what is the caller’s may not', () => {
    for (const [code, { status, retryable }] of Object.entries(PROBLEMS)) {
      expect(retryable, code).toBe(status >= 500 || status === 429 || status === 408);
    }
  });
});

describe('routes', () => {
  test('paths are filled, encoded, and never with a gap', () => {
    const params = { ns: 'default', svc: 'orders', id: 'a/b c' };
    expect(pathOf(ROUTES.register, params)).toBe(
      '/v1/namespaces/default/services/orders/instances/a%2Fb%20c',
    );
    expect(() => pathOf(ROUTES.register, { ns: 'default' })).toThrow("needs a parameter 'svc'");
  });

  test('each path names exactly the parameters of its schema', () => {
    for (const route of Object.values<Route>(ROUTES)) {
      const named = [...route.path.matchAll(/:([a-z]+)/g)].map(([, name]) => name);
      expect(named).toEqual(Object.keys(route.params?.shape ?? {}));
    }
  });
});

test('a lease id is known by its form, and shortened for logs', () => {
  const lease = `0.10000.${'ab'.repeat(16)}`;
  expect(isLeaseId(lease)).toBe(true);
  expect(isLeaseId(`${lease}0`)).toBe(false);
  expect(shortLeaseId(lease)).toBe('0.10000.ababab…');
});
