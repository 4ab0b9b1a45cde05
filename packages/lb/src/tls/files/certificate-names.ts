import type { X509Certificate } from 'node:crypto';

/** `DNS:a.test, DNS:*.b.test, IP Address:10.0.0.1`; Node.js writes a value that could be misread as a JSON string. */
const DNS_NAME = /(?:^|, )DNS:([^",]+)(?=, |$)/g;
/** A name that a client can ask for; `*` stands for one label. */
const USABLE = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/** The DNS names of a certificate (SAN), in lower case. Its subject names nothing: clients do not look there. */
export function certificateNames({ subjectAltName = '' }: X509Certificate): string[] {
  const names = Array.from(subjectAltName.matchAll(DNS_NAME), ([, name = '']) =>
    name.toLowerCase(),
  );
  return [...new Set(names.filter((name) => USABLE.test(name)))];
}
