// The simple JSON paths that printer columns of custom resources use: `.spec.cidr`, `.status.conditions[?(@.type=="Ready")].status`.

/** The first value a path leads to. */
export function pathValue(object: unknown, path: string): unknown {
  let at: unknown = object;
  for (const step of path.match(/\.[^.[\]]+|\['[^']+'\]|\[[^\]]+\]/g) ?? []) {
    if (at === undefined || at === null) return undefined;
    if (step.startsWith('.')) at = (at as Record<string, unknown>)[step.slice(1).replaceAll('\\', '')];
    else if (step.startsWith("['")) at = (at as Record<string, unknown>)[step.slice(2, -2)];
    else if (!Array.isArray(at)) return undefined;
    else {
      const inner = step.slice(1, -1);
      const filter = /^\?\(@\.([\w.]+)\s*==\s*["']([^"']*)["']\)$/.exec(inner);
      const list = at as unknown[];
      if (filter !== null) at = list.find((element) => String(pathValue(element, `.${filter[1]!}`)) === filter[2]);
      else if (inner === '*') at = list[0];
      else at = list.at(Number(inner));
    }
  }
  return at;
}
