import type { RequestView } from '@rollcall/dataplane';
import { expect, test } from 'vitest';
import { RedirectAction } from './redirect.ts';

function answer(request: Partial<RequestView>, config = {}, httpsPort = 443) {
  const { target = '/' } = request;
  const [path = ''] = target.split('?');
  const whole = { method: 'GET', host: 'shop.test', target, path, clientAddress: '' };
  const fields = { requestId: '', isSecure: false, rule: '', field: () => undefined };
  const wanted = { scheme: 'https', ...config } as const;
  const action = new RedirectAction(wanted, { httpsPort: () => httpsPort });
  return action.decide({ ...whole, ...fields, ...request }, path);
}

test.each([
  [{ target: '/a?b=c' }, 443, 301, 'https://shop.test/a?b=c'],
  [{ target: '/', method: 'HEAD' }, 8443, 301, 'https://shop.test:8443/'],
  [{ target: '//evil.test/', method: 'POST' }, 443, 308, 'https://shop.test//evil.test/'],
  [{ host: '[::1]', method: 'DELETE' }, 8443, 308, 'https://[::1]:8443/'],
  [{ target: '*', method: 'OPTIONS' }, 443, 308, 'https://shop.test/'],
])('%j, port %d', (request, port, status, location) => {
  expect(answer(request, {}, port)).toMatchObject({ status, location });
});

test('port and status as configured', () => {
  const config = { port: 9443, status: 307 };
  expect(answer({ method: 'PUT' }, config)).toMatchObject({
    status: 307,
    location: 'https://shop.test:9443/',
  });
});

test('a client of HTTP/1.0 without a host cannot be sent anywhere', () => {
  expect(answer({ host: '' })).toMatchObject({ status: 400, code: 'no_host' });
});

test('whoever stays at the scheme and host keeps the port', () => {
  const request = { target: '/old?a=1', field: () => 'shop.test:8080' };
  expect(answer(request, { scheme: undefined, path: '/new' })).toMatchObject({
    location: 'http://shop.test:8080/new?a=1',
  });
});

test('to another host, without the query', () => {
  const config = { scheme: 'http', host: 'other.test', query: '' };
  expect(answer({ target: '/a?b=c' }, config)).toMatchObject({ location: 'http://other.test/a' });
});
