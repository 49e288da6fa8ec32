// A read-only root file system that ships with the lab: a machine's base image or a container image's root.
// Trees are immutable and shared by all machines; what a machine changes lies in a layer above.

export type ImageEntry =
  | { readonly kind: 'file'; readonly contents: string | Uint8Array; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  /** An executable: a file whose contents name the program (see `executable`). */
  | { readonly kind: 'program'; readonly program: string; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  | { readonly kind: 'directory'; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  | { readonly kind: 'symlink'; readonly target: string };

export interface ImageTree {
  /** `centos7-k8s`, or a container image's id. */
  readonly name: string;
  /** Absolute paths to entries; parents that are not named are directories of mode 755. */
  readonly entries: ReadonlyMap<string, ImageEntry>;
}

const MAGIC = '\x7fELF\x02\x01\x01\0nobox\0';

/** Contents of an executable file that runs the named program. */
export function executable(program: string): string {
  return `${MAGIC}${program}\0`;
}

/** The program an executable's first bytes name, or undefined when they are no such executable. */
export function programOf(head: string): string | undefined {
  if (!head.startsWith(MAGIC)) return undefined;
  const end = head.indexOf('\0', MAGIC.length);
  return end < 0 ? undefined : head.slice(MAGIC.length, end);
}
