import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NGINX } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(async () => {
  cli = await TestCli.start();
});
afterEach(() => cli.close());

const WITH_NODE_PORT = NGINX.replace('spec:\n', 'spec:\n  type: NodePort\n').replace(
  'targetPort: 80\n',
  'targetPort: 80\n      nodePort: 30120\n',
);

describe('apply', () => {
  test('created, unchanged, configured', async () => {
    const file = cli.file('svc.yaml', NGINX);
    expect(await cli.out('apply', '-f', file)).toBe('service/nginx created\n');
    const address = await cli.out('get', 'svc', 'nginx', '-o', 'jsonpath={.spec.clusterIP}');
    expect(await cli.out('apply', '-f', file)).toBe('service/nginx unchanged\n');
    cli.file('svc.yaml', WITH_NODE_PORT);
    expect(await cli.out('apply', '-f', file)).toBe('service/nginx configured\n');
    expect(await cli.out('get', 'svc', 'nginx', '--no-headers')).toContain(
      `NodePort   ${address}   <none>   8080:30120/TCP`,
    );
    expect(await cli.out('apply', '-f', file, '-o', 'name')).toBe('service/nginx\n');
    expect(await cli.out('apply', '-f', file, '-o', 'jsonpath={.spec.type}')).toBe('NodePort');
  });

  test('a dry run writes nothing', async () => {
    const file = cli.file('svc.yaml', NGINX);
    expect(await cli.out('apply', '-f', file, '--dry-run=server')).toBe(
      'service/nginx created (server dry run)\n',
    );
    expect(await cli.out('apply', '-f', file, '--dry-run=client')).toBe(
      'service/nginx created (dry run)\n',
    );
    expect((await cli.run('get', 'svc', 'nginx')).code).toBe(1);
    const { code, err } = await cli.run('apply', '-f', file, '--dry-run=maybe');
    expect(code).toBe(2);
    expect(err).toBe(
      'error: Invalid dry-run value (maybe). Must be "none", "server", or "client".\n',
    );
  });

  test('warnings of what is taken and not acted on', async () => {
    const text = NGINX.replace('spec:\n', 'spec:\n  internalTrafficPolicy: Local\n');
    const { out, err } = await cli.run('apply', '-f', cli.file('svc.yaml', text));
    expect(out).toBe('service/nginx created\n');
    expect(err).toBe(
      'Warning: spec.internalTrafficPolicy: Local is stored; nothing routes by it yet\n',
    );
  });

  test('what may not change', async () => {
    await cli.apply(NGINX);
    const text = NGINX.replace('spec:\n', 'spec:\n  clusterIP: 127.96.200.200\n');
    const { code, err } = await cli.run('apply', '-f', cli.file('svc.yaml', text));
    expect(code).toBe(1);
    expect(err).toMatch(
      /^The Service "nginx" is invalid: spec\.clusterIPs\[0\]: Invalid value: \["127\.96\.200\.200"\]: may not change once set\n/,
    );
  });

  test('a node port that another service has, and who has it', async () => {
    await cli.apply(WITH_NODE_PORT);
    const other = WITH_NODE_PORT.replace('name: nginx', 'name: other');
    const { code, err } = await cli.run('apply', '-f', cli.file('svc.yaml', other));
    expect(code).toBe(1);
    expect(err).toContain(
      'The Service "other" is invalid: spec.ports[0].nodePort: Invalid value: 30120: provided port is already allocated\n',
    );
    expect(err).toMatch(/fix: service default\/nginx has it/);
  });
});

describe('diff', () => {
  const CHANGE = `@@ -18,8 +18,9 @@
   - IPv4
   ipFamilyPolicy: SingleStack
   ports:
-  - port: 8080
+  - nodePort: 30120
+    port: 8080
     protocol: TCP
     targetPort: 80
   selector:
     app: nginx
   sessionAffinity: None
-  type: ClusterIP
+  type: NodePort
`;

  test('shows what would change, and says by its code whether anything would', async () => {
    await cli.apply(NGINX);
    const file = cli.file('svc.yaml', NGINX);
    expect(await cli.run('diff', '-f', file)).toEqual({ code: 0, out: '', err: '' });
    cli.file('svc.yaml', WITH_NODE_PORT);
    const { code, out } = await cli.run('diff', '-f', file);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^--- live\/Service\.default\.nginx\n\+\+\+ file\/Service\.default\.nginx\n@@/,
    );
    for (const line of CHANGE.split('\n').filter((one) => /^[-+]/.test(one))) {
      expect(out).toContain(`\n${line}\n`);
    }
    expect(await cli.run('apply', '-f', file, '--diff')).toEqual({ code, out, err: '' });
    expect(await cli.out('get', 'svc', 'nginx')).toContain('ClusterIP');
  });
});

describe('replace', () => {
  test('what is there, and not what is not', async () => {
    const file = cli.file('svc.yaml', WITH_NODE_PORT);
    expect(await cli.run('replace', '-f', file)).toEqual({
      code: 1,
      out: '',
      err: 'Error from server (NotFound): error when replacing "svc.yaml": services "nginx" not found\n',
    });
    await cli.apply(NGINX);
    expect(await cli.out('replace', '-f', file)).toBe('service/nginx replaced\n');
    expect(await cli.out('get', 'svc', 'nginx', '--no-headers')).toContain('8080:30120/TCP');
  });

  test('what was read an hour ago does not replace what was written since', async () => {
    await cli.apply(NGINX);
    const file = cli.file('read.yaml', await cli.out('get', 'svc', 'nginx', '-o', 'yaml'));
    expect(await cli.out('replace', '-f', file)).toBe('service/nginx replaced\n');
  });
});

describe('patch', () => {
  const patch = (...argv: string[]) => cli.run('patch', 'svc', 'nginx', ...argv);
  const ports = () => cli.out('get', 'svc', 'nginx', '-o', 'jsonpath={.spec.ports[*].port}');

  test('merges ports by their numbers unless told otherwise', async () => {
    await cli.apply(NGINX);
    expect((await patch('-p', '{"metadata":{"labels":{"a":"b"}}}')).out).toBe(
      'service/nginx patched\n',
    );
    expect((await patch('-p', '{"metadata":{"labels":{"a":"b"}}}')).out).toBe(
      'service/nginx patched (no change)\n',
    );
    const both = '{"spec":{"ports":[{"port":443,"name":"https"},{"port":8080,"name":"http"}]}}';
    expect((await patch('-p', both)).code).toBe(0);
    expect(await ports()).toBe('443 8080');
    await patch('-p', 'spec: {ports: [{port: 8080, $patch: delete}]}');
    expect(await ports()).toBe('443');
    await patch('--type=merge', '-p', '{"spec":{"ports":[{"port":81}]}}');
    expect(await ports()).toBe('81');
    const steps = '[{"op":"replace","path":"/spec/ports/0/port","value":82}]';
    expect((await patch('--type=json', '-p', steps)).out).toBe('service/nginx patched\n');
    expect(await ports()).toBe('82');
    const file = cli.file('patch.yaml', 'spec:\n  type: NodePort\n');
    expect((await patch('--patch-file', file)).code).toBe(0);
    expect(await cli.out('get', 'svc', 'nginx')).toContain('NodePort');
  });

  test.each<[argv: string[], code: number, err: RegExp]>([
    [[], 2, /must specify --patch or --patch-file/],
    [['-p', '{'], 1, /unable to parse "\{"/],
    [
      ['-p', 'x'],
      1,
      /^error: unable to parse "x": expected an object with the fields to change\n$/,
    ],
    [['--type=merge', '-p', '[]'], 1, /unable to parse "\[\]": expected an object with the fields/],
    [['--type=json', '-p', '{}'], 1, /^error: unable to parse "\{\}": expected a list of steps\n$/],
    [['--type=odd', '-p', '{}'], 2, /--type must be one of \[json merge strategic\], not "odd"/],
    [['-p', '{"spec":{"type":"clusterIP"}}'], 1, /spec\.type: Unsupported value: "clusterIP"/],
    [['--type=json', '-p', '[{"op":"remove","path":"/spec/x"}]'], 1, /there is no such field/],
  ])('%j', async (argv, code, err) => {
    await cli.apply(NGINX);
    const ended = await patch(...argv);
    expect(ended.code).toBe(code);
    expect(ended.err).toMatch(err);
  });
});

describe('edit', () => {
  const edit = (editor: string) => cli.runWith({ env: { EDITOR: editor } }, 'edit', 'svc', 'nginx');

  test('writes what the editor left', async () => {
    await cli.apply(NGINX);
    expect(await edit('sed -i s/8080/8081/')).toMatchObject({
      code: 0,
      out: 'service/nginx edited\n',
    });
    expect(await cli.out('get', 'svc', 'nginx')).toContain('8081/TCP');
    expect((await edit('true')).err).toBe('Edit cancelled, no changes made.\n');
    const empty = { code: 0, out: '', err: 'Edit cancelled, saved file was empty.\n' };
    expect(await edit('truncate -s 0')).toEqual(empty);
    expect(await edit("sed -i 's,^,# ,'")).toEqual(empty);
    expect((await edit('false')).err).toBe('error: there was a problem with the editor "false"\n');
  });

  test('opens one file: the one that was written for it, however the editor is quoted', async () => {
    await cli.apply(NGINX);
    const seen = join(cli.folder, 'seen');
    const script = cli.file('an editor', `#!/bin/sh\nprintf '%s\\n' "$@" > '${seen}'\n`);
    chmodSync(script, 0o755);
    const kept = ['--wait', 'two words'];
    expect((await edit(`'${script}' --wait "two words"`)).code).toBe(0);
    const words = readFileSync(seen, 'utf8').trimEnd().split('\n');
    expect(words).toEqual([...kept, expect.stringMatching(/rollcall-edit-\w+\/nginx\.yaml$/)]);
  });

  test('keeps what others wrote while the editor was open', async () => {
    await cli.apply(NGINX);
    const other = cli.file(
      'other.mjs',
      `await fetch('${cli.url}/v1/namespaces/default/manifests/services/nginx', {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: '{"metadata":{"labels":{"other":"writer"}}}',
      });`,
    );
    const lines = ['#!/bin/sh', `'${process.execPath}' '${other}'`, 'sed -i s/8080/8081/ "$1"', ''];
    const script = cli.file('slow', lines.join('\n'));
    chmodSync(script, 0o755);
    expect((await edit(script)).out).toBe('service/nginx edited\n');
    const shown = await cli.out('get', 'svc', 'nginx', '--show-labels');
    expect(shown).toContain('8081/TCP');
    expect(shown).toContain('other=writer');
  });

  test('keeps what was refused', async () => {
    await cli.apply(NGINX);
    const { code, err } = await edit('sed -i s/ClusterIP/clusterIP/');
    expect(code).toBe(1);
    expect(err).toContain('fix: type: ClusterIP');
    const [, file = ''] = /at (\/.*\.yaml):\d+/.exec(err) ?? [];
    expect(readFileSync(file, 'utf8')).toContain('type: clusterIP');
  });
});

describe('what was applied last', () => {
  const LAST = 'kubectl.kubernetes.io/last-applied-configuration';
  const WARNING = `Warning: resource services/nginx is missing the ${LAST} annotation which is required by rollcall apply. rollcall apply should only be used on resources created declaratively by either rollcall create --save-config or rollcall apply. The missing annotation will be patched automatically.\n`;
  const file = () => cli.file('nginx.yaml', NGINX);
  const lastOf = (name: string) =>
    cli.out('get', 'svc', name, '-o', `jsonpath={.metadata.annotations}`);

  test('is unknown of an object that was created: a warning, and it is kept from then on', async () => {
    await cli.out('create', '-f', file());
    const first = await cli.run('apply', '-f', file());
    expect(first).toEqual({ code: 0, out: 'service/nginx configured\n', err: WARNING });
    const second = await cli.run('apply', '-f', file());
    expect(second).toEqual({ code: 0, out: 'service/nginx unchanged\n', err: '' });
  });

  test('is kept by --save-config', async () => {
    expect(await cli.out('create', '-f', file(), '--save-config')).toBe('service/nginx created\n');
    expect((await cli.run('apply', '-f', file())).err).toBe('');
    const again = await cli.run('create', '-f', file(), '--save-config');
    expect(again.err).toMatch(/^Error from server \(AlreadyExists\)/);
    await cli.out('create', 'service', 'clusterip', 'made', '--tcp=80', '--save-config');
    await cli.out('expose', 'svc', 'nginx', '--name=front', '--save-config');
    for (const name of ['made', 'front']) expect(await lastOf(name)).toContain(LAST);
    await cli.out('create', 'service', 'clusterip', 'bare', '--tcp=80');
    expect(await lastOf('bare')).not.toContain(LAST);
    const both = await cli.run('create', '-f', file(), '--save-config', '--partial');
    expect(both).toMatchObject({
      code: 2,
      err: 'error: expected either --partial or --save-config\n',
    });
  });
});
