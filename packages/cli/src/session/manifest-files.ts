import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, usageError } from '../base/cli-error.ts';
import type { Context } from './context.ts';
import type { Locate } from './refusal.ts';

const URLS = /^https?:\/\//i;
const ENDINGS = /\.(ya?ml|json)$/i;

/** Several files as one text, so that they are applied together or not at all, with the origin of each line. */
export interface ManifestText {
  readonly text: string;
  readonly locate: Locate;
}

/** Reads the arguments of `-f`: files, folders, URLs, or `-`. Throws a {@link CliError} that names the file. */
export async function readManifestFiles(
  context: Context,
  files: readonly string[],
  isRecursive: boolean,
): Promise<ManifestText> {
  if (files.length === 0) throw usageError('must specify one of -f: a file, a folder or -');
  const parts: { readonly file: string; readonly text: string }[] = [];
  for (const file of files) {
    if (file === '-') parts.push({ file: 'STDIN', text: await context.readStdin() });
    else if (URLS.test(file)) parts.push({ file, text: await download(file, context.signal) });
    else
      for (const path of pathsOf(file, isRecursive))
        parts.push({ file: path, text: readText(path) });
  }
  const starts: { readonly file: string; readonly line: number }[] = [];
  let text = '';
  let line = 1;
  for (const { file, text: own } of parts) {
    const separator = text === '' ? '' : '\n---\n';
    line += separator === '' ? 0 : 2;
    starts.push({ file, line });
    text += separator + own;
    line += own.split('\n').length - 1;
  }
  const locate: Locate = (at) => {
    const start = starts.findLast((one) => one.line <= at) ?? { file: '', line: 1 };
    return { file: start.file, line: at - start.line + 1 };
  };
  return { text, locate };
}

async function download(url: string, signal: AbortSignal): Promise<string> {
  const unread = `error: unable to read URL "${url}"`;
  let reply: Response;
  try {
    reply = await fetch(url, { signal });
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    throw new CliError(`${unread}: ${cause?.message ?? message}`);
  }
  if (reply.ok) return reply.text();
  const { status, statusText } = reply;
  throw new CliError(`${unread}, server reported ${status} ${statusText}, status code=${status}`);
}

function pathsOf(file: string, isRecursive: boolean): string[] {
  let isFolder: boolean;
  try {
    isFolder = statSync(file).isDirectory();
  } catch {
    throw new CliError(`error: the path "${file}" does not exist`);
  }
  if (!isFolder) return [file];
  const found = readdirSync(file, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(file, entry.name);
      if (entry.isDirectory()) return isRecursive ? pathsOf(path, true) : [];
      return ENDINGS.test(entry.name) ? [path] : [];
    });
  if (found.length > 0 || isRecursive) return found;
  const expected = 'expected files that end in .yaml, .yml or .json';
  throw new CliError(`error: error reading [${file}]: ${expected}`);
}

/** Throws a {@link CliError} that names the file. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(`error: ${(error as Error).message}`);
  }
}
