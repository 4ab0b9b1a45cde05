import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateWish, TestAuthority, type TestCertificate } from '@rollcall/testkit';
import { onTestFinished } from 'vitest';

/** Certificates in a folder of its own, which ends with the test. */
export class TlsFiles {
  readonly authority = new TestAuthority();
  readonly folder = mkdtempSync(join(tmpdir(), 'rollcall-tls-'));

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true }));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file in one step, as careful programs do. */
  write(name: string, text: string): string {
    const path = this.path(name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  }

  /** Writes NAME.pem and NAME.key. */
  issue(
    name: string,
    wish: CertificateWish,
  ): TestCertificate & { readonly files: TestCertificate } {
    const issued = this.authority.issue(wish);
    return { ...issued, files: this.put(name, issued) };
  }

  put(name: string, { cert, key }: TestCertificate): TestCertificate {
    return { cert: this.write(`${name}.pem`, cert), key: this.write(`${name}.key`, key) };
  }

  /** The authority's own certificate as a file. */
  get ca(): string {
    return this.write('ca.pem', this.authority.cert);
  }
}
