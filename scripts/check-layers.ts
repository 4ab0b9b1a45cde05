// Checks that packages, and the rooms of the registry server, import each other only along the arrows of the design;
// that no files or folders import each other in a circle, including type imports; that no room is too large; and that
// no code reads the system clock directly instead of a Clock. Prints all faults and exits with 1 if there are any.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

/** Which packages each package may import. docs/architecture.md shows the same table. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  runtime: [],
  balancing: ['contract'],
  'client-sdk': ['contract', 'balancing', 'runtime'],
  manifests: ['contract'],
  daemon: ['contract', 'runtime'],
  dataplane: ['balancing', 'runtime'],
  'service-plane': ['balancing', 'client-sdk', 'dataplane', 'runtime'],
  lb: ['balancing', 'client-sdk', 'daemon', 'dataplane', 'runtime', 'service-plane'],
  'node-proxy': ['balancing', 'client-sdk', 'daemon', 'dataplane', 'runtime', 'service-plane'],
  'dns-server': ['client-sdk', 'daemon', 'runtime'],
  cli: ['client-sdk', 'contract', 'manifests', 'runtime'],
  'registry-server': ['contract', 'daemon', 'manifests', 'runtime'],
  rollcall: ['cli', 'client-sdk', 'dns-server', 'lb', 'node-proxy', 'registry-server'],
  opentelemetry: ['client-sdk', 'contract', 'runtime'],
  testing: ['client-sdk', 'contract', 'registry-server', 'runtime'],
  testkit: [],
};

/** Entries behind the front door that a package may import. */
const SIDE_DOORS: Readonly<Record<string, readonly string[]>> = {
  // For what calls the registry and no services.
  cli: ['@rollcall/client-sdk/registration'],
  rollcall: ['@rollcall/client-sdk/registration'],
  // It is for tests itself.
  testing: ['@rollcall/registry-server/store', '@rollcall/runtime/testing'],
};

/** The same for the rooms of the registry server: the folders of its src. The files beside them assemble it. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  store: [],
  picture: ['store'],
  access: ['picture', 'store'],
  writes: ['access', 'picture', 'runtime', 'store'],
  upkeep: ['access', 'picture', 'store', 'writes'],
  views: ['picture', 'store'],
  watch: ['picture', 'store'],
  http: ['access', 'picture', 'store', 'upkeep', 'views', 'watch', 'writes'],
};

/** The largest share of the server's lines that one room may have. */
const MAX_ROOM_SHARE = 0.4;

/** What only tests may import, in addition. */
const FOR_TESTS = [
  'testkit',
  'registry-server',
  'client-sdk',
  'dataplane',
  'lb',
  'node-proxy',
  'dns-server',
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const files = globSync('packages/*/src/**/*.ts', { cwd: root }).map((file) =>
  file.replaceAll('\\', '/'),
);

interface Import {
  readonly from: string;
  readonly name: string;
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8');
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const names = [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap((entry) =>
      entry.entries.flatMap((one) => (one.moduleRequest === null ? [] : [one.moduleRequest.value])),
    ),
    // `import('x')`; what is computed cannot be checked.
    ...module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
      const [, name] = /^'([^']*)'$/.exec(source.slice(start, end)) ?? [];
      return name === undefined ? [] : [name];
    }),
  ];
  return [...new Set(names)].map((name) => ({ from: file, name }));
}

const packageOf = (file: string) => file.split('/')[1] ?? '';
const isTest = (file: string) =>
  file.endsWith('.test.ts') || file.includes('/testing/', file.indexOf('/src/'));

function arrowFault({ from, name }: Import): string | undefined {
  if (name.startsWith('.')) {
    const target = relative(root, resolve(root, dirname(from), name)).replaceAll('\\', '/');
    const isInside = target.startsWith(`packages/${packageOf(from)}/src/`);
    return isInside ? undefined : `${from} reaches out of its package: ${name}`;
  }
  if (!name.startsWith('@rollcall/')) return undefined;
  const [, target = '', ...rest] = name.split('/');
  const isOpen = isTest(from) || SIDE_DOORS[packageOf(from)]?.includes(name) === true;
  if (rest.length > 0 && !isOpen) return `${from} imports past the front door: ${name}`;
  const allowed = [...(ARROWS[packageOf(from)] ?? []), ...(isTest(from) ? FOR_TESTS : [])];
  return allowed.includes(target) ? undefined : `${from} imports ${name}: no such arrow`;
}

/** Depth-first search: a file found again on the current path closes a circle. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const at = path.indexOf(file);
    if (at !== -1) circles.push([...path.slice(at), file].join(' -> '));
    if (at !== -1 || done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return circles;
}

/** `packages/lb/src/admin/metrics.ts` -> `admin`; `.` for a file of src itself. */
const folderOf = (file: string) => dirname(file.split('/').slice(3).join('/'));
const roomOf = (file: string) => folderOf(file).split('/')[0] ?? '.';

function roomFault(from: string, to: string): string | undefined {
  if (packageOf(from) !== 'registry-server' || isTest(from) || roomOf(from) === '.')
    return undefined;
  const [room, target] = [roomOf(from), roomOf(to)];
  if (room === target || ROOMS[room]?.includes(target) === true) return undefined;
  return `${from} imports ${to}: no arrow from ${room} to ${target}`;
}

function roomShareFaults(): string[] {
  const lines = new Map<string, number>();
  for (const file of files) {
    if (packageOf(file) !== 'registry-server' || isTest(file)) continue;
    const count = readFileSync(join(root, file), 'utf8').split('\n').length;
    lines.set(roomOf(file), (lines.get(roomOf(file)) ?? 0) + count);
  }
  const total = [...lines.values()].reduce((sum, count) => sum + count, 0);
  return [...lines].flatMap(([room, count]) => {
    if (count <= total * MAX_ROOM_SHARE) return [];
    return [`packages/registry-server/src/${room} has ${count} of ${total} lines: more than 40 %`];
  });
}

/** The import graph of folders. The files directly in src count as one folder. */
function folderGraph(): Map<string, readonly string[]> {
  const targets = new Map<string, Set<string>>();
  for (const [file, imported] of graph) {
    if (isTest(file)) continue;
    const from = `${packageOf(file)}/${folderOf(file)}`;
    const set = targets.get(from) ?? new Set();
    targets.set(from, set);
    for (const one of imported) {
      const to = `${packageOf(one)}/${folderOf(one)}`;
      if (to !== from) set.add(to);
    }
  }
  return new Map([...targets].map(([folder, set]) => [folder, [...set]]));
}

/** The dependencies in package.json must match the arrows too, since users install those. */
function manifestFaults(): string[] {
  return Object.keys(ARROWS).flatMap((name) => {
    const manifest = JSON.parse(
      readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'),
    ) as { dependencies?: Record<string, string> };
    const own = Object.keys(manifest.dependencies ?? {}).filter((key) =>
      key.startsWith('@rollcall/'),
    );
    const declared = own
      .map((key) => key.slice('@rollcall/'.length))
      .toSorted()
      .join();
    const drawn = (ARROWS[name] ?? []).toSorted().join();
    return declared === drawn
      ? []
      : [`packages/${name}/package.json depends on [${declared}], the design says [${drawn}]`];
  });
}

const imports = files.flatMap(importsOf);
const unknown = [...new Set(files.map(packageOf))].filter((name) => !(name in ARROWS));
const graph = new Map(
  files.map((file) => [
    file,
    imports
      .filter(({ from, name }) => from === file && name.startsWith('.'))
      .map(({ name }) => relative(root, resolve(root, dirname(file), name)).replaceAll('\\', '/')),
  ]),
);
/** `new Date()` reads the clock, `new Date(ms)` does not. Lint cannot tell them apart. */
function clockFaults(file: string): string[] {
  const isExempt =
    isTest(file) || /\/(runtime\/|main\.ts|compose\.ts)|packages\/testkit\//.test(file);
  if (isExempt) return [];
  const code = readFileSync(join(root, file), 'utf8');
  return /\bnew Date\(\)/.test(code) ? [`${file} reads the clock by new Date(): take a Clock`] : [];
}

const faults = [
  ...files.flatMap(clockFaults),
  ...unknown.map((name) => `packages/${name} is not in the design`),
  ...imports.map(arrowFault).filter((fault) => fault !== undefined),
  ...manifestFaults(),
  ...[...graph].flatMap(([from, imported]) =>
    imported.map((to) => roomFault(from, to)).filter((fault) => fault !== undefined),
  ),
  ...roomShareFaults(),
  ...circlesOf(graph).map((circle) => `circle: ${circle}`),
  ...circlesOf(folderGraph()).map((circle) => `circle of folders: ${circle}`),
];
for (const fault of faults) console.error(fault);
const word = `${files.length} files, ${imports.length} imports`;
if (faults.length > 0) {
  console.error(`layers: ${faults.length} faults in ${word}`);
  process.exitCode = 1;
} else console.log(`layers: ${word}, every arrow as designed, no circle`);
