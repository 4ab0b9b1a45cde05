import { readFileSync } from 'node:fs';
import type { Clock, Random } from '@rollcall/runtime';
import type { RuleConfig } from '../config/rule-schema.ts';
import type { ActionConfig } from '../config/schema.ts';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import type { Action } from './act/action.ts';
import { fieldEditsOf } from './act/field-edits.ts';
import { fixedAnswer } from './act/fixed-answer.ts';
import { ForwardAction } from './act/forward-action.ts';
import { GroupChoice } from './act/group-choice.ts';
import { RedirectAction } from './act/redirect.ts';
import { SignedCookie } from './act/signed-cookie.ts';
import { BasicAuth } from './gates/basic-auth.ts';
import { ForwardAuth } from './gates/forward-auth.ts';
import type { Gate } from './gates/gate.ts';
import { JwtGate } from './gates/jwt.ts';
import { parseUsers } from '../passwords/password-file.ts';
import { RateLimit } from './gates/rate-limit.ts';
import type { KeptParts } from './kept-parts.ts';
import type { PathPattern } from '../matching/path-pattern.ts';
import { Rule } from './rule.ts';

/** What rules refer to. */
export interface RuleParts {
  readonly groups: ReadonlyMap<string, LiveTargetGroup>;
  /** The port to which redirected clients are sent. */
  readonly httpsPort: () => number;
  readonly kept: KeptParts;
  /** Signs the cookies of clients. */
  readonly cookieKey: Buffer;
  readonly clock: Pick<Clock, 'monotonicMs' | 'wallMs' | 'after'>;
  readonly random: Random['share'];
}

export interface RulePlace {
  readonly name: string;
  /** The same for the same rule of another configuration. */
  readonly key: string;
  readonly pattern: PathPattern | undefined;
}

type Config = ActionConfig & Partial<RuleConfig>;

export function createRule(config: Config, place: RulePlace, parts: RuleParts): Rule {
  return new Rule(place.name, gatesOf(config, place, parts), actionOf(config, place, parts));
}

/** The cheap ones first. */
function gatesOf(config: Config, { key }: RulePlace, { kept, clock }: RuleParts): Gate[] {
  const { rateLimit, basicAuth, jwt, forwardAuth } = config;
  const keep = <T>(kind: string, of: unknown, create: () => T): T =>
    kept.keep(`${kind} ${key} ${JSON.stringify(of)}`, create);
  const gates: (Gate | undefined)[] = [
    rateLimit && keep('rateLimit', rateLimit, () => new RateLimit(rateLimit, clock)),
    basicAuth && openBasicAuth(basicAuth, keep),
    jwt && keep('jwt', jwt, () => new JwtGate(jwt, clock)),
    forwardAuth && keep('forwardAuth', forwardAuth, () => new ForwardAuth(forwardAuth, clock)),
  ];
  return gates.filter((gate) => gate !== undefined);
}

type Keep = <T>(kind: string, of: unknown, create: () => T) => T;

/** The text is part of the key: a file that has changed makes a new gate. */
function openBasicAuth(
  { usersFile, realm }: NonNullable<RuleConfig['basicAuth']>,
  keep: Keep,
): Gate {
  const text = readFileSync(usersFile, 'utf8');
  return keep('basicAuth', { realm, text }, () => new BasicAuth(parseUsers(text), realm));
}

function actionOf(config: Config, { pattern }: RulePlace, parts: RuleParts): Action {
  const { redirect, fixedResponse, targetGroup, forward, groupStickiness } = config;
  const { httpsPort, groups, random, cookieKey: key } = parts;
  if (redirect !== undefined) return new RedirectAction(redirect, { httpsPort, pattern });
  if (fixedResponse !== undefined) return fixedAnswer(fixedResponse);
  const shares = (forward ?? [{ targetGroup: targetGroup!, weight: 1 }]).map((share) => {
    const group = groups.get(share.targetGroup);
    if (group === undefined) throw new Error(`no such target group: ${share.targetGroup}`);
    return { group, weight: share.weight };
  });
  const cookie =
    groupStickiness && new SignedCookie({ ...groupStickiness, name: groupStickiness.cookie, key });
  return new ForwardAction({
    choice: new GroupChoice(shares, random),
    groupCookie: cookie,
    pattern,
    rewrite: config.rewrite,
    requestEdits: fieldEditsOf(config.requestHeaders),
    answerEdits: fieldEditsOf(config.responseHeaders),
    bodyBytes: config.bodyBytes,
    cookieKey: key,
  });
}
