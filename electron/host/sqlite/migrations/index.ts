import { sql as revisions } from './001-revisions.ts';

/** In order; the file's user_version counts those it has seen. */
export const migrations: readonly string[] = [revisions];
