/** Record types that this server knows (IANA "Resource Record (RR) TYPEs"). */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

/** Response codes; those above 15 need EDNS0 for their upper bits. */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

export const CLASS_IN = 1;
export const CLASS_ANY = 255;

/** Size of the header of every message, in bytes. */
export const HEADER_BYTES = 12;
/** Size of an OPT record without options, in bytes. */
export const OPT_BYTES = 11;
/** Largest UDP answer for a client without EDNS0, in bytes. */
export const PLAIN_UDP_BYTES = 512;
/** Largest value of the TCP length prefix. */
export const MAX_MESSAGE_BYTES = 65_535;
