import type { Endpoint } from '@rollcall/contract';
import type { EndpointFilter } from '../api/call-settings.ts';

/** Which endpoints a call may go to. */
export interface EndpointRule {
  readonly admits: (endpoint: Endpoint) => boolean;
  /** For messages: `with zone eu-1 and label version=2`. */
  readonly text: string;
}

export function endpointRuleOf(filter: EndpointFilter): EndpointRule {
  if (typeof filter === 'function')
    // A promise, which an async function returns, is no yes.
    return {
      admits: (endpoint) => {
        const answer: unknown = filter(endpoint);
        return answer === true;
      },
      text: "that the call's filter takes",
    };
  const { labels = {}, zone } = filter;
  const wanted = Object.entries(labels);
  const words = wanted.map(([name, value]) => `label ${name}=${value}`);
  if (zone !== undefined) words.unshift(`zone ${zone}`);
  return {
    admits: (endpoint) =>
      (zone === undefined || endpoint.zone === zone) &&
      wanted.every(([name, value]) => endpoint.labels[name] === value),
    text: words.length === 0 ? '' : `with ${words.join(' and ')}`,
  };
}
