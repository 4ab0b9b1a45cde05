import { hashOf } from '@rollcall/balancing';
import type {
  FieldEdits,
  Forward,
  RequestEdits,
  RequestView,
  Target,
  TargetClient,
} from '@rollcall/dataplane';
import type { RewriteConfig } from '../../config/rule-schema.ts';
import type { StickinessConfig } from '../../config/schema.ts';
import type { LiveTargetGroup } from '../../groups/target-group.ts';
import type { PathPattern } from '../../matching/path-pattern.ts';
import type { Action } from './action.ts';
import { mergeEdits } from './field-edits.ts';
import type { GroupChoice } from './group-choice.ts';
import { changedPath, queryOf } from './rewrite.ts';
import { cookieValue, SignedCookie } from './signed-cookie.ts';

export interface ForwardParts {
  readonly choice: GroupChoice;
  /** Undefined: each request is a draw. */
  readonly groupCookie: SignedCookie | undefined;
  readonly pattern: PathPattern | undefined;
  readonly rewrite: RewriteConfig | undefined;
  readonly requestEdits: FieldEdits | undefined;
  readonly answerEdits: FieldEdits | undefined;
  readonly bodyBytes: number | undefined;
  readonly cookieKey: Buffer;
}

/** Sends requests to target groups. */
export class ForwardAction implements Action {
  readonly #parts: ForwardParts;
  /** By group, for requests that need nothing of their own. */
  readonly #ready = new Map<LiveTargetGroup, Forward>();

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  decide(request: RequestView, path: string): Forward {
    const { choice, groupCookie } = this.#parts;
    const kept = groupCookie && choice.find(groupCookie.read(request.field('cookie')));
    const group = kept ?? choice.draw();
    const isNew = groupCookie !== undefined && kept === undefined;
    const { stickiness } = group.config;
    const target = this.#targetOf(request, path);
    if (!isNew && stickiness === undefined && target === undefined) return this.#readyFor(group);
    const line = isNew ? groupCookie.line(group.name, request.isSecure) : '';
    const sticky = stickiness && stick(stickiness, request, group, this.#parts.cookieKey);
    return {
      ...this.#readyFor(group),
      client: sticky?.client,
      edits: target === undefined ? this.#edits : { ...this.#edits, target },
      answerEdits: this.#answerEditsOf(line, sticky?.lineFor),
    };
  }

  #readyFor(group: LiveTargetGroup): Forward {
    let forward = this.#ready.get(group);
    if (forward === undefined) {
      const { bodyBytes } = this.#parts;
      const answerEdits = this.#answerEditsOf('', undefined);
      forward = Object.freeze({
        kind: 'forward',
        group,
        edits: this.#edits,
        answerEdits,
        bodyBytes,
      });
      this.#ready.set(group, forward);
    }
    return forward;
  }

  get #edits(): RequestEdits | undefined {
    const { requestEdits, rewrite } = this.#parts;
    return rewrite?.host === undefined ? requestEdits : { ...requestEdits, host: rewrite.host };
  }

  #answerEditsOf(
    line: string,
    lineFor: ((target: Target) => string) | undefined,
  ): Forward['answerEdits'] {
    const { answerEdits } = this.#parts;
    if (lineFor !== undefined)
      return (target) => mergeEdits(answerEdits, [], `${line}${lineFor(target)}`);
    if (line === '') return answerEdits === undefined ? undefined : () => answerEdits;
    return () => mergeEdits(answerEdits, [], line);
  }

  /** Undefined: as it was sent. A target gets the path that the rules have seen. */
  #targetOf(request: RequestView, path: string): string | undefined {
    const { rewrite, pattern } = this.#parts;
    const isChanged = rewrite?.path !== undefined || rewrite?.prefix !== undefined;
    if (!isChanged) {
      const isAsSent = request.path === path || !hasDots(request.path);
      return isAsSent ? undefined : `${path}${queryOf(request.target)}`;
    }
    return `${changedPath(path, rewrite, pattern)}${queryOf(request.target)}`;
  }
}

/** Whether a path has segments that targets may resolve in their own way. */
const hasDots = (path: string): boolean => /\/(\.|%2e){1,2}(\/|$)/i.test(path);

interface Sticky {
  readonly client: TargetClient;
  /** What the answer of a target is to have. */
  readonly lineFor?: (target: Target) => string;
}

function stick(
  { by, cookie, maxAgeMs }: StickinessConfig,
  request: RequestView,
  group: LiveTargetGroup,
  key: Buffer,
): Sticky {
  const { clientAddress } = request;
  if (by === 'source') return { client: { clientAddress, hash: hashOf(clientAddress) } };
  if (typeof by === 'object') {
    const value =
      'header' in by
        ? request.field(by.header.toLowerCase())
        : cookieValue(request.field('cookie'), by.cookie);
    return { client: { clientAddress, ...(value === undefined ? {} : { hash: hashOf(value) }) } };
  }
  const signed = new SignedCookie({ name: `${cookie}-${group.name}`, maxAgeMs, key });
  const stickyTarget = signed.read(request.field('cookie'));
  const { isSecure } = request;
  return {
    client: { clientAddress, stickyTarget },
    lineFor: ({ id }) => (id === stickyTarget ? '' : signed.line(id, isSecure)),
  };
}
