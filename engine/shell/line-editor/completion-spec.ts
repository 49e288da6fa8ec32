// What `complete` says about a command's arguments.

export interface CompletionSpec {
  readonly function: string | undefined;
  readonly words: string | undefined;
  readonly glob: string | undefined;
  readonly command: string | undefined;
  readonly filter: string | undefined;
  readonly prefix: string;
  readonly suffix: string;
  /** `-A` actions: `file`, `directory`, `user` ... */
  readonly actions: readonly string[];
  /** `-o` options: `nospace`, `default`, `filenames` ... */
  readonly options: ReadonlySet<string>;
}
