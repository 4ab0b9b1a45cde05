import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Reads the named file and returns the token in it: its only line. Neither the token nor a part of it is shown. */
export const tokenFile = () =>
  z.string({ error: 'expected a file' }).transform((file, context): string => {
    let why = 'it has no line, or several';
    try {
      const lines = readFileSync(file, 'utf8').trim().split('\n');
      if (lines.length === 1 && lines[0] !== '') return lines[0] as string;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      why = code ?? message;
    }
    context.addIssue({ code: 'custom', message: `expected a file with a token (${why})` });
    return z.NEVER;
  });
