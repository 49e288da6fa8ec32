// Models cmp.Diff of go-cmp 0.5.2, which messages about forbidden changes end with.

export { goDiff } from './go-diff/format.ts';
