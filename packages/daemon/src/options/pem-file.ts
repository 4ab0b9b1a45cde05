import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const CHECKS = {
  certificate: (pem: string) => void new X509Certificate(pem),
  'private key': (pem: string) => void createPrivateKey(pem),
};

/** Reads the named PEM file and returns its content. */
export const pemFile = (kind: keyof typeof CHECKS) =>
  z.string({ error: 'expected a file' }).transform((file, context): string => {
    try {
      const pem = readFileSync(file, 'utf8');
      CHECKS[kind](pem);
      return pem;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      context.addIssue({
        code: 'custom',
        message: `expected a file with a ${kind} (${code ?? message})`,
      });
      return z.NEVER;
    }
  });
