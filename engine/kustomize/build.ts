// Models kustomize v2.0.3, which kubectl v1.20 carries: from a directory with a kustomization to finished objects.
// Not modelled: bases in git repositories.

import type { JsonObject } from '../kube/machinery/go-values.ts';
import { configOfCrds } from './crds.ts';
import { KustomizeError, wrapped } from './error.ts';
import { configOf, EMPTY_CONFIG, mergeConfigs, type TransformerConfig } from './field-specs.ts';
import { addHashes, generate } from './generators.ts';
import { changeImages } from './images.ts';
import { readKustomization, type Kustomization, type Variable } from './kustomization.ts';
import { Loader, type FileSystem } from './loader.ts';
import { applyJsonPatches, applyPatches, readJsonPatches } from './patches.ts';
import { readPatches, readResources } from './read-objects.ts';
import { inOrder, mergeDistinct, mergeOverriding, type Resource } from './resource.ts';
import { addAffixes, addToMaps, followNames, setNamespace } from './transformers.ts';
import { mergeVariables, replaceVariables } from './variables.ts';

export interface BuildOptions {
  readonly files: FileSystem;
  /** Remarks that do not stop the build. */
  readonly log: (text: string) => void;
}

interface Accumulated {
  resources: Resource[];
  config: TransformerConfig;
  variables: readonly Variable[];
}

/** The objects of a kustomization in the order in which they are printed. Throws KustomizeError. */
export function build(path: string, options: BuildOptions): readonly JsonObject[] {
  const loader = Loader.open(path, options.files);
  const { resources, config, variables } = accumulate(loader, readKustomization(loader), options);
  addHashes(resources);
  followNames(resources, config.nameReference, options.log);
  replaceVariables(resources, variables, config.varReference, options.log);
  return inOrder(resources).map(({ object }) => object);
}

/** What a target and its bases amount to; names in references are not followed yet. */
function accumulate(loader: Loader, kustomization: Kustomization, options: BuildOptions): Accumulated {
  const problems: string[] = [];
  const attempt = <T>(step: () => T): T | undefined => {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof KustomizeError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const stopAtProblems = (): void => {
    if (problems.length > 0) throw new KustomizeError(problems.map((problem) => `${problem}\n`).join(''));
  };
  const all: Accumulated = { resources: [], config: EMPTY_CONFIG, variables: [] };
  for (const base of kustomization.bases ?? []) attempt(() => addBase(all, loader, base, options));
  const resources = attempt(() =>
    wrapped('rawResources failed to read Resources', () => readResources(loader, kustomization.resources ?? [])),
  );
  stopAtProblems();

  attempt(() =>
    wrapped('MergeResourcesWithErrorOnIdCollision', () => {
      all.resources = mergeDistinct(resources ?? [], all.resources);
    }),
  );
  const own = configOf(loader, kustomization.configurations ?? []);
  attempt(() =>
    wrapped('MergeConfig', () => {
      all.config = mergeConfigs(all.config, own);
    }),
  );
  attempt(() =>
    wrapped('MergeVars', () => {
      all.variables = mergeVariables(all.variables, kustomization.vars ?? []);
    }),
  );
  attempt(() =>
    wrapped('LoadCRDs', () => {
      all.config = mergeConfigs(all.config, configOfCrds(loader, kustomization.crds ?? []));
    }),
  );
  const { configMapGenerator = [], secretGenerator = [], generatorOptions } = kustomization;
  const maps = attempt(() =>
    wrapped('NewResMapFromConfigMapArgs', () => generate(loader, 'ConfigMap', configMapGenerator, generatorOptions)),
  );
  const secrets = attempt(() => wrapped('NewResMapFromSecretArgs', () => generate(loader, 'Secret', secretGenerator, generatorOptions)));
  all.resources = mergeOverriding(all.resources, [...(maps ?? []), ...(secrets ?? [])]);
  const patches = attempt(() => wrapped('SliceFromPatches', () => readPatches(loader, kustomization.patchesStrategicMerge ?? [])));
  stopAtProblems();

  const jsonPatches = readJsonPatches(loader, kustomization.patchesJson6902 ?? []);
  applyPatches(all.resources, patches ?? []);
  setNamespace(all.resources, kustomization.namespace ?? '', all.config.namespace, options.log);
  const affixes = { prefix: kustomization.namePrefix ?? '', suffix: kustomization.nameSuffix ?? '' };
  addAffixes(all.resources, affixes, all.config.namePrefix, options.log);
  addToMaps(all.resources, kustomization.commonLabels, all.config.commonLabels, options.log);
  addToMaps(all.resources, kustomization.commonAnnotations, all.config.commonAnnotations, options.log);
  applyJsonPatches(all.resources, jsonPatches);
  const images = kustomization.images ?? [];
  if (images.length > 0) for (const { object } of all.resources) changeImages(object, images);
  return all;
}

function addBase(all: Accumulated, loader: Loader, path: string, options: BuildOptions): void {
  const inner = wrapped(`couldn't make loader for ${path}`, () => loader.base(path));
  const kustomization = wrapped(`couldn't make target for ${path}`, () => readKustomization(inner));
  const base = wrapped('AccumulateTarget', () => accumulate(inner, kustomization, options));
  wrapped(path, () => {
    all.resources = mergeDistinct(base.resources, all.resources);
    all.config = mergeConfigs(all.config, base.config);
    all.variables = mergeVariables(all.variables, base.variables);
  });
}
