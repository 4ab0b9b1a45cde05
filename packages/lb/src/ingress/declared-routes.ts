import type { RuleConfig } from '../config/rule-schema.ts';
import type { TargetGroupConfig } from '../config/schema.ts';
import type { HttpRoutes } from '../gateway/rules-of-http-routes.ts';
import type { IngressRoutes } from './rules-of-ingress.ts';

/** What becomes of all that is declared: a part of the balancer's own configuration. */
export class DeclaredRoutes {
  readonly targetGroups: Readonly<Record<string, TargetGroupConfig>>;
  /** What does not work as it is written, for the log, each in a sentence. */
  readonly notes: readonly string[];
  readonly #ingresses: IngressRoutes;
  readonly #httpRoutes: HttpRoutes;

  constructor(ingresses: IngressRoutes, httpRoutes: HttpRoutes) {
    this.#ingresses = ingresses;
    this.#httpRoutes = httpRoutes;
    this.targetGroups = { ...ingresses.targetGroups, ...httpRoutes.targetGroups };
    this.notes = [...ingresses.notes, ...httpRoutes.notes];
  }

  /** Of two rules alike that of an Ingress counts. */
  rulesFor(listener: string): RuleConfig[] {
    const own = this.#httpRoutes.rules.filter(
      ({ sections }) => sections === 'all' || sections.has(listener),
    );
    return [...this.#ingresses.rules, ...own.map(({ rule }) => rule)];
  }
}
