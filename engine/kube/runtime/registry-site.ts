// Models the image registries of the lab's internet: distribution's HTTP API v2 over the catalogue.
// Instead of a layer's archive the answer's body is a running count of its bytes, at the pace of the learner's line.

import type { Clock } from '../../sim/clock.ts';
import type { HttpHandler } from '../../net/http.ts';
import { catalogue } from './catalogue/index.ts';
import { layerDigest, MANIFEST_TYPE, type CatalogueImage, type Layer } from './catalogue/image.ts';

/** 100 Mbit/s, shared by everything that downloads at the same time. */
const LINE_BYTES_PER_MS = 12_500;
const TICK_MS = 250;

/** Answers for all registries: the Host header says which one is meant. */
export function registrySite(clock: Clock): HttpHandler {
  const images = catalogue();
  const layers = new Map<string, Layer>(images.flatMap((image) => image.layers).map((layer) => [layerDigest(layer), layer]));
  const byId = new Map(images.map((image) => [`sha256:${image.id}`, image]));
  let downloads = 0;
  return async (request, respond) => {
    const path = request.target.split('?')[0] ?? '';
    const host = (request.headers.get('host') ?? '').split(':')[0] ?? '';
    if (path === '/v2/' || path === '/v2')
      return respond.send({ status: 200, headers: { 'docker-distribution-api-version': 'registry/2.0' } }, '{}');
    const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path);
    if (match === null) return respond.send({ status: 404 }, '404 page not found\n');
    const [, name = '', kind, wanted = ''] = match;
    const ofRepository = images.filter((image) => image.repository === `${host === 'registry-1.docker.io' ? 'docker.io' : host}/${name}`);
    if (ofRepository.length === 0) {
      return respond.send(
        { status: 401 },
        JSON.stringify({
          errors: [
            { code: 'UNAUTHORIZED', message: 'authentication required', detail: [{ Type: 'repository', Name: name, Action: 'pull' }] },
          ],
        }),
      );
    }
    if (kind === 'manifests') return sendManifest(ofRepository, wanted, respond.send.bind(respond));
    const image = byId.get(wanted);
    if (image !== undefined) return respond.send({ status: 200 }, image.configJson);
    const layer = layers.get(wanted);
    if (layer === undefined)
      return respond.send({ status: 404 }, JSON.stringify({ errors: [{ code: 'BLOB_UNKNOWN', message: 'blob unknown to registry' }] }));
    const headers = { 'docker-content-digest': wanted, 'x-unpacked-size': String(layer.sizeBytes) };
    if (request.method === 'HEAD') return respond.send({ status: 200, headers });
    const body = await respond.stream({ status: 200, headers });
    downloads++;
    try {
      for (let sent = 0; sent < layer.compressedBytes;) {
        const share = LINE_BYTES_PER_MS / downloads;
        const waitMs = Math.min(TICK_MS, Math.ceil((layer.compressedBytes - sent) / share));
        await clock.sleep(waitMs, respond.signal);
        sent = Math.min(layer.compressedBytes, sent + Math.ceil(share * waitMs));
        await body.write(`${sent}\n`);
      }
      await body.end();
    } finally {
      downloads--;
    }
  };
}

async function sendManifest(
  images: readonly CatalogueImage[],
  wanted: string,
  send: (head: { readonly status: number; readonly headers?: Readonly<Record<string, string>> }, body: string) => Promise<void>,
): Promise<void> {
  const image = images.find((candidate) => candidate.digest === wanted || candidate.tags.includes(wanted));
  if (image === undefined) {
    return send(
      { status: 404 },
      JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown', detail: { Tag: wanted } }] }),
    );
  }
  return send({ status: 200, headers: { 'content-type': MANIFEST_TYPE, 'docker-content-digest': image.digest } }, image.manifestJson);
}
