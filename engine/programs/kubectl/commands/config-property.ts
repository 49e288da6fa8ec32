// Models the dotted names of `kubectl config set` and `unset`.

import { CliError } from '../errors.ts';
import type { KubeConfig, Section } from '../factory/kubeconfig.ts';

/** Words of the sections: `contexts.NAME.cluster`; names may hold dots. */
function locate(
  config: KubeConfig,
  name: string,
): { readonly section: Section; readonly entry: string; readonly key: string | undefined } | 'current-context' {
  if (name === 'current-context') return name;
  const [first = '', ...rest] = name.split('.');
  if (first !== 'clusters' && first !== 'contexts' && first !== 'users')
    throw new CliError(`unable to parse ${first} after [] at api.Config`);
  if (rest.length === 0) throw new CliError(`can't set a map to a value: map[string]*api.${first}`);
  const tail = rest.join('.');
  const known = [...config[first].keys()].find((entry) => tail === entry || tail.startsWith(`${entry}.`));
  if (known !== undefined) return { section: first, entry: known, key: tail === known ? undefined : tail.slice(known.length + 1) };
  return {
    section: first,
    entry: rest.length === 1 ? tail : rest.slice(0, -1).join('.'),
    key: rest.length === 1 ? undefined : rest[rest.length - 1],
  };
}

export function setProperty(config: KubeConfig, name: string, value: string, file: string): void {
  const place = locate(config, name);
  if (place === 'current-context') {
    config.currentContext = value;
    return;
  }
  if (place.key === undefined) throw new CliError(`can't set a map to a value: ${name}`);
  const entry = config[place.section].get(place.entry);
  const typed = place.key === 'insecure-skip-tls-verify' ? value === 'true' : value;
  config[place.section].set(place.entry, { origin: entry?.origin ?? file, value: { ...entry?.value, [place.key]: typed } });
}

export function unsetProperty(config: KubeConfig, name: string): void {
  if (name === 'clusters' || name === 'contexts' || name === 'users') {
    config[name].clear();
    return;
  }
  const place = locate(config, name);
  if (place === 'current-context') config.currentContext = '';
  else if (place.key === undefined) config[place.section].delete(place.entry);
  else {
    const entry = config[place.section].get(place.entry);
    if (entry === undefined) throw new CliError(`current map key \`${place.entry}\` is invalid`);
    const value = { ...entry.value };
    delete value[place.key];
    config[place.section].set(place.entry, { origin: entry.origin, value });
  }
}
