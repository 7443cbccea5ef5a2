import { PROBLEM_TYPE, problemSchema } from './problem.ts';

const problem = (description: string) => ({ description, content: { [PROBLEM_TYPE]: { schema: problemSchema } } });

/** What every route that takes a credential may answer. */
export const REFUSALS = {
  400: problem('The request is malformed.'),
  401: problem('It cannot be told who is asking.'),
  403: problem('The role does not permit it.'),
  429: problem('Too many credentials were refused.'),
  500: problem('A bug, or something that does not pass by itself.'),
  503: problem('Something that is needed did not answer. Try again.'),
} as const;

export const NOT_FOUND = { 404: problem('There is no such thing.') } as const;
export const CONFLICT = { 409: problem('It does not fit what is there.') } as const;
export const UNFIT = { 413: problem('The body is too large.'), 422: problem('It cannot be done as it is asked for.') } as const;

/** Everybody with a role. */
export const SECURED = { security: [{ token: [] }, { certificate: [] }] };
