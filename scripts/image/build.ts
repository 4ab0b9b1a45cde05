import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, linkSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import type { Context } from './context.ts';
import type { Stage, Step } from './dockerfile.ts';

/** What a stage left behind. */
export interface Image {
  /** The folder that stands for `/`. */
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where COPY puts something. */
interface Place {
  readonly place: string;
  readonly isFolder: boolean;
  /** The line, for error messages. */
  readonly at: string;
}

/** Instructions that say how an image is run, and change none of its files. */
const NO_FILES = new Set(['USER', 'EXPOSE', 'LABEL', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD']);

/** The part of this process's environment that leads to the package registry, and the time of a release. */
const PASSED =
  /^(HOME|TMPDIR|SOURCE_DATE_EPOCH|NODE_EXTRA_CA_CERTS|(https?|no)_proxy|npm_config_registry)$/i;

/** What npm is told of the way to the package registry. */
const WAY_TO_REGISTRY = ['registry', 'cafile', 'proxy', 'https-proxy', 'strict-ssl'] as const;

/** Runs the steps of all stages in folders below `folder`, which must be empty. Returns what the last stage left. */
export function buildImage(
  stages: readonly Stage[],
  context: Context,
  { source, folder }: { source: string; folder: string },
): Image {
  const built = new Map<string, Image>();
  let last: Image | undefined;
  for (const [index, stage] of stages.entries()) {
    last = new Build(join(folder, `${index}`), source, context, built).run(stage);
    built.set(stage.name ?? `${index}`, last);
  }
  if (last === undefined) throw new Error('Dockerfile: expected a FROM');
  return last;
}

class Build implements Image {
  readonly root: string;
  readonly env: Record<string, string> = {};
  workdir = '/';
  /** ARG: for RUN alone. */
  readonly #args: Record<string, string> = {};
  readonly #source: string;
  readonly #context: Context;
  readonly #built: ReadonlyMap<string, Image>;

  constructor(root: string, source: string, context: Context, built: ReadonlyMap<string, Image>) {
    this.root = root;
    this.#source = source;
    this.#context = context;
    this.#built = built;
  }

  run({ base, steps }: Stage): Image {
    const [major] = process.versions.node.split('.');
    // The base is stood in for by this machine with the Node.js that runs here.
    if (!base.startsWith(`node:${major}-`)) {
      throw new Error(`FROM ${base}: expected node:${major}-..., this is ${process.version}`);
    }
    mkdirSync(this.#at('/usr/local/bin'), { recursive: true });
    placeNode(this.#at('/usr/local/bin/node'));
    for (const step of steps) this.#take(step);
    return this;
  }

  #take(step: Step): void {
    const { keyword, at, words, pairs } = step;
    if (keyword === 'WORKDIR') {
      this.workdir = posix.resolve(this.workdir, words[0] ?? '');
      mkdirSync(this.#at(this.workdir), { recursive: true });
    } else if (keyword === 'ENV') Object.assign(this.env, Object.fromEntries(pairs));
    else if (keyword === 'ARG') this.#declare(pairs);
    else if (keyword === 'COPY') this.#copy(step);
    else if (keyword === 'RUN') this.#runs(step);
    else if (!NO_FILES.has(keyword)) throw new Error(`${at}: ${keyword} is not known here`);
  }

  #declare(pairs: ReadonlyMap<string, string>): void {
    for (const [name, value] of pairs) if (value !== '') this.#args[name] = value;
  }

  #copy({ at, flags, words }: Step): void {
    const sources = words.slice(0, -1);
    const target = words.at(-1) ?? '';
    const isFolder = target.endsWith('/') || sources.length > 1;
    for (const source of sources) {
      const place = this.#at(target);
      const from = flags['from'];
      if (from === undefined) this.#copyFromContext(source, { place, isFolder, at });
      else this.#copyFromStage(from, source, { place, isFolder, at });
    }
  }

  #copyFromStage(from: string, source: string, { place, isFolder, at }: Place): void {
    const path = join(this.#built.get(from)?.root ?? '', source);
    if (!this.#built.has(from) || !existsSync(path)) {
      throw new Error(`${at}: COPY: stage ${from} has no ${source}`);
    }
    const isTree = statSync(path).isDirectory();
    const target = isTree || !isFolder ? place : join(place, posix.basename(source));
    cpSync(path, target, { recursive: true });
  }

  #copyFromContext(source: string, { place, isFolder, at }: Place): void {
    const files = this.#context.filesOf(source);
    if (files.length === 0) {
      throw new Error(`${at}: COPY: no ${source}, or .dockerignore leaves it out`);
    }
    const isTree = statSync(join(this.#source, source)).isDirectory();
    for (const file of files) {
      // The content of a folder is copied, not the folder itself.
      const name = isTree ? file.slice(source.length + 1) : posix.basename(file);
      const path = isTree || isFolder ? join(place, name) : place;
      mkdirSync(dirname(path), { recursive: true });
      copyFileSync(join(this.#source, file), path);
    }
  }

  #runs({ at, text }: Step): void {
    console.log(`${at}: ${text.replaceAll(/\s+/g, ' ')}`);
    execFileSync('sh', ['-c', text], {
      cwd: this.#at(this.workdir),
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...passed(), ...this.#args, ...this.env, ...this.#tools() },
    });
  }

  /** npm of this machine, and what the steps install with --global. */
  #tools(): Record<string, string> {
    const npm = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
    return {
      PATH: [this.#at('/usr/local/bin'), dirname(npm), '/usr/bin', '/bin'].join(':'),
      npm_config_prefix: this.#at('/usr/local'),
      ...wayToRegistry(),
    };
  }

  /** Where a path of the image is on this machine. */
  #at(path: string): string {
    return join(this.root, resolve('/', this.workdir, path));
  }
}

/** Another prefix also means another global configuration of npm: what leads to the package registry is named. */
function wayToRegistry(): Record<string, string> {
  const listed = execFileSync('npm', ['config', 'list', '--json'], { encoding: 'utf8' });
  const config = JSON.parse(listed) as Readonly<Record<string, unknown>>;
  const found = WAY_TO_REGISTRY.flatMap((name) => {
    const value = config[name];
    const isSet = value !== null && value !== undefined && value !== '' && value !== false;
    return isSet || name === 'strict-ssl'
      ? [[`npm_config_${name.replaceAll('-', '_')}`, String(value)]]
      : [];
  });
  return Object.fromEntries(found) as Record<string, string>;
}

/** A link costs nothing; it needs the same file system. */
function placeNode(path: string): void {
  try {
    linkSync(process.execPath, path);
  } catch (error) {
    if (!['EXDEV', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    copyFileSync(process.execPath, path);
  }
}

const passed = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED.test(name)));
