// Says what is wrong with a label selector, in the words of labels.Parse.

import { parseLabelSelector } from '../../../kube/machinery/selectors.ts';

/** Undefined when the selector can be used. */
export function selectorProblem(selector: string): string | undefined {
  try {
    parseLabelSelector(selector);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
    return error.message;
  }
}
