/** How requests get ids. */
export interface RequestIdRule {
  /** Name of the field that carries the id, in requests and answers. */
  readonly header: string;
  /** Whether ids in requests from this address are kept. */
  readonly trusts: (address: string) => boolean;
  /** A new id: visible ASCII. */
  readonly create: () => string;
}
