import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
});
afterAll(() => cli.close());

const HEAD = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: nginx\n';
const SELECTOR = '  selector:\n    app: nginx\n';
const PORTS = '  ports:\n    - port: 8080\n      targetPort: 80\n';

test.each<[mistake: string, text: string, err: string]>([
  [
    'selector at the top level',
    `${HEAD}selector:\n  app: nginx\nspec:\n${PORTS}`,
    `The Service "nginx" is invalid: selector: selector is at the top level, where it has no effect
    at svc.yaml:5:1
    fix: indent it under spec: spec.selector
`,
  ],
  [
    'selector under ports',
    `${HEAD}spec:\n${PORTS}      selector:\n        app: nginx\n`,
    `The Service "nginx" is invalid: spec.ports[0].selector: selector is inside a port: it belongs to the service
    at svc.yaml:9:7
    fix: move it out two levels: spec.selector
`,
  ],
  [
    'type: clusterIP',
    `${HEAD}spec:\n  type: clusterIP\n${SELECTOR}${PORTS}`,
    `The Service "nginx" is invalid: spec.type: Unsupported value: "clusterIP": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"
    at svc.yaml:6:9
    fix: type: ClusterIP
`,
  ],
  [
    'a node port out of range',
    `${HEAD}spec:\n  type: NodePort\n${PORTS}      nodePort: 32768\n`,
    `The Service "nginx" is invalid: spec.ports[0].nodePort: Invalid value: 32768: provided port is not in the valid range. The range of valid ports is 30000-32767
    at svc.yaml:10:17
    fix: choose one from 30000 to 32767, or leave nodePort out to have one given
`,
  ],
  [
    'typographic quotes',
    `${HEAD}spec:\n  selector:\n    app: “nginx”\n${PORTS}`,
    `The Service "nginx" is invalid: a typographic quote “: it is read as part of the string
    at svc.yaml:7:10
    fix: write " or ' instead
`,
  ],
  [
    'typographic dashes',
    `${HEAD}spec:\n  ports:\n    – port: 80\n`,
    `The Service "nginx" is invalid: a typographic dash where a list item begins
    at svc.yaml:7:5
    fix: write - instead
`,
  ],
  [
    '-- instead of #, behind a value',
    `${HEAD}spec:\n  ports:\n    - port: 8080 -- of the service\n      targetPort: 80\n`,
    `The Service "nginx" is invalid: '--' is no comment in YAML: the rest of the line is taken as a value
    at svc.yaml:7:18
    fix: write # instead of --
`,
  ],
  [
    '-- instead of #, on a line of its own',
    `${HEAD}spec:\n  -- the ports\n${PORTS}`,
    `error: error parsing svc.yaml: line 6: '--' is no comment in YAML: the line is taken as a value
    at svc.yaml:6:3
    fix: write # instead of --
`,
  ],
  [
    'an unknown field',
    `${HEAD}spec:\n  ports:\n    - port: 80\n      targetport: 80\n`,
    `The Service "nginx" is invalid: spec.ports[0].targetport: strict decoding error: unknown field "spec.ports[0].targetport"
    at svc.yaml:8:19
    fix: did you mean targetPort?
`,
  ],
  [
    'tabs',
    `${HEAD}spec:\n\tports:\n`,
    `error: error parsing svc.yaml: line 6: a tab in the indentation: YAML takes spaces only
    at svc.yaml:6:1
    fix: replace each tab by two spaces
`,
  ],
  [
    'ports as a mapping',
    `${HEAD}spec:\n  ports:\n    port: 80\n`,
    `The Service "nginx" is invalid: spec.ports: ports is a single port; expected a list
    at svc.yaml:6:3
    fix: begin its first field with "- "
`,
  ],
  [
    'a wrong apiVersion',
    `${HEAD.replace('v1', 'apps/v1')}spec:\n${PORTS}`,
    `The Service "nginx" is invalid: apiVersion: no matches for kind "Service" in version "apps/v1"
    at svc.yaml:1:13
    fix: apiVersion: v1
`,
  ],
  [
    'an unknown kind',
    `${HEAD.replace('Service', 'Servcie')}spec:\n${PORTS}`,
    `The Servcie "nginx" is invalid: kind: no matches for kind "Servcie" in version "v1"
    at svc.yaml:2:7
    fix: kind: Service
`,
  ],
  [
    'a kind of Kubernetes that is not declared here',
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: nginx\n',
    `The Pod "nginx" is invalid: kind: no matches for kind "Pod" in version "v1"
    at svc.yaml:2:7
    fix: the registry has instances instead of pods, and starts nothing: start it yourself, as in: rollcall run --service NAME --port PORT -- COMMAND. Leave this document out, or apply with --partial
`,
  ],
  [
    'two mistakes in one document',
    `${HEAD}spec:\n  type: Loadbalancer\n  ports:\n    - port: "80"\n`,
    `The Service "nginx" is invalid: ${''}
* spec.type: Unsupported value: "Loadbalancer": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"
    at svc.yaml:6:9
    fix: type: LoadBalancer
* spec.ports[0].port: Invalid value: "80": expected an integer
    at svc.yaml:8:13
    fix: write 80 without quotes
`,
  ],
])('%s', async (_mistake, text, err) => {
  const file = cli.file('svc.yaml', text);
  for (const verb of ['create', 'apply', 'delete']) {
    const ended = await cli.run(verb, '-f', file);
    // What is to be deleted needs a kind and a name alone.
    if (verb !== 'delete') expect(ended).toEqual({ code: 1, out: '', err });
    else expect(ended.code).toBe(1);
  }
});
