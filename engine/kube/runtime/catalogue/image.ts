// What a registry holds of one image: configuration, layers and, instead of layer archives, the tree of its root.

import { sha256 } from '@noble/hashes/sha2.js';
import type { ImageEntry } from '../../../fs/image-tree.ts';
import { toHex, utf8 } from '../../../sim/bytes.ts';

export interface ImageConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly exposedPorts?: readonly string[];
  readonly workingDirectory?: string;
  readonly user?: string;
  readonly stopSignal?: string;
  readonly volumes?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Layer {
  /** What the layer's digest is made of: images that share a layer download it once. */
  readonly name: string;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  /** The build step, as `docker history` shows it. */
  readonly createdBy: string;
}

export interface ImageSpec {
  /** `docker.io/library/nginx`. */
  readonly repository: string;
  readonly tags: readonly string[];
  readonly created: string;
  readonly config: ImageConfig;
  readonly layers: readonly Layer[];
  readonly entries: ReadonlyMap<string, ImageEntry>;
  /** First digits of the real image's id, where they are known. */
  readonly idPrefix?: string;
}

export interface CatalogueImage extends ImageSpec {
  /** Without `sha256:`; names the image's tree too. */
  readonly id: string;
  readonly configJson: string;
  readonly manifestJson: string;
  /** Of the manifest, with `sha256:`. */
  readonly digest: string;
  readonly sizeBytes: number;
}

export const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

/** Computes ids, digests and the manifest; the same description gives the same ones in every lab. */
export function catalogueImage(spec: ImageSpec): CatalogueImage {
  const config = spec.config;
  const configJson = JSON.stringify({
    architecture: 'amd64',
    config: {
      Hostname: '',
      Domainname: '',
      User: config.user ?? '',
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      ...(config.exposedPorts ? { ExposedPorts: Object.fromEntries(config.exposedPorts.map((port) => [port, {}])) } : {}),
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      Env: config.env ?? ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Cmd: config.cmd ?? null,
      Image: '',
      Volumes: config.volumes ? Object.fromEntries(config.volumes.map((volume) => [volume, {}])) : null,
      WorkingDir: config.workingDirectory ?? '',
      Entrypoint: config.entrypoint ?? null,
      OnBuild: null,
      Labels: config.labels ?? null,
      ...(config.stopSignal === undefined ? {} : { StopSignal: config.stopSignal }),
    },
    created: spec.created,
    docker_version: '19.03.12',
    history: spec.layers.map((layer) => ({
      created: spec.created,
      created_by: layer.createdBy,
      ...(layer.sizeBytes === 0 ? { empty_layer: true } : {}),
    })),
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: spec.layers.filter(isFilled).map((layer) => digestOf(`diff:${layer.name}`)) },
    repository: spec.repository,
  });
  const hash = sha256Hex(configJson);
  const id = (spec.idPrefix ?? '') + hash.slice(spec.idPrefix?.length ?? 0);
  const manifestJson = JSON.stringify(
    {
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: utf8(configJson).length, digest: `sha256:${id}` },
      layers: spec.layers.filter(isFilled).map((layer) => ({
        mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
        size: layer.compressedBytes,
        digest: layerDigest(layer),
      })),
    },
    undefined,
    3,
  );
  return {
    ...spec,
    id,
    configJson,
    manifestJson,
    digest: digestOf(manifestJson),
    sizeBytes: spec.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
  };
}

export function layerDigest(layer: Layer): string {
  return digestOf(`layer:${layer.name}`);
}

function isFilled(layer: Layer): boolean {
  return layer.sizeBytes > 0;
}

export function digestOf(text: string): string {
  return `sha256:${sha256Hex(text)}`;
}

export function sha256Hex(text: string): string {
  return toHex(sha256(utf8(text)));
}

const MEGABYTE = 1_000_000;

/** A layer given in megabytes as `docker images` counts them; the archive is about two fifths of it. */
export function layer(name: string, megabytes: number, createdBy: string): Layer {
  const sizeBytes = Math.round(megabytes * MEGABYTE);
  return { name, sizeBytes, compressedBytes: Math.max(32, Math.round(sizeBytes * 0.4)), createdBy };
}

/** A build step that changes no file. */
export function step(createdBy: string): Layer {
  return { name: createdBy, sizeBytes: 0, compressedBytes: 0, createdBy };
}
