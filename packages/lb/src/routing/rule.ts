import type { Decision, Forward, RequestView, Respond } from '@rollcall/dataplane';
import type { Action } from './act/action.ts';
import { mergeEdits } from './act/field-edits.ts';
import type { Gate, Granted, Question } from './gates/gate.ts';

/** What happens to the requests of a rule: they pass its gates, one after the other, and then its action decides. */
export class Rule {
  readonly name: string;
  readonly #gates: readonly Gate[];
  readonly #action: Action;

  constructor(name: string, gates: readonly Gate[], action: Action) {
    this.name = name;
    this.#gates = gates;
    this.#action = action;
  }

  /** `path`: in its normal form. */
  decide(request: RequestView, path: string): Decision {
    request.rule = this.name;
    if (this.#gates.length === 0) return this.#action.decide(request, path);
    const granted: Granted[] = [];
    const questions: Question[] = [];
    for (const gate of this.#gates) {
      const verdict = gate.judge(request);
      if (verdict.kind === 'respond') return verdict;
      if (verdict.kind === 'granted') granted.push(verdict);
      else questions.push(verdict);
    }
    // The request cannot be looked at when the answers come.
    const decision = this.#action.decide(request, path);
    if (questions.length === 0) return withGranted(decision, granted);
    return { kind: 'pending', start: (decide) => askAll(questions, granted, decision, decide) };
  }
}

/** One question after the other: once one is answered with a refusal, the others need not be asked. */
function askAll(
  questions: readonly Question[],
  granted: readonly Granted[],
  decision: Forward | Respond,
  decide: (decision: Forward | Respond) => void,
): () => void {
  const all = [...granted];
  let cancel = (): void => {};
  const askNext = (at: number): void => {
    const question = questions[at];
    if (question === undefined) {
      decide(withGranted(decision, all));
      return;
    }
    cancel = question.start((verdict) => {
      if (verdict.kind === 'respond') decide(verdict);
      else {
        all.push(verdict);
        askNext(at + 1);
      }
    });
  };
  askNext(0);
  return () => cancel();
}

function withGranted(decision: Forward | Respond, granted: readonly Granted[]): Forward | Respond {
  if (decision.kind === 'respond') return decision;
  const removed = granted.flatMap((one) => one.removed);
  const lines = granted.map((one) => one.lines).join('');
  if (removed.length === 0 && lines === '') return decision;
  return { ...decision, edits: mergeEdits(decision.edits, removed, lines) };
}
