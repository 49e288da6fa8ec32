import { describe, expect, it } from 'vitest';
import { setImmediate } from 'node:timers/promises';
import { text, toHex, utf8 } from '../../sim/bytes.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { HttpClient } from '../../net/http-client.ts';
import { readAllBytes } from '../../net/http-message.ts';
import { decodeMessage, encodeObject, openEnvelope } from '../machinery/schema/protobuf.ts';
import { openTestApi } from './test-api.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string): Uint8Array =>
  encodeObject('core/v1.ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap' }, { metadata: { name }, data: { a: '1' } });

async function withClient(
  run: (
    send: (
      method: string,
      target: string,
      body?: Uint8Array,
      accept?: string,
    ) => Promise<{ status: number; type: string; bytes: Uint8Array }>,
    http: HttpClient,
  ) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() as Promise<void> });
  await using api = await openTestApi({ clock });
  const http = new HttpClient({ connect: () => Promise.resolve(api.connect()), host: '192.168.1.10:6443' });
  await run(async (method, target, body, accept = PROTOBUF) => {
    const headers = { accept, 'user-agent': 'tester/v1', ...(body === undefined ? {} : { 'content-type': PROTOBUF }) };
    const response = await http.request({ method, target, headers, ...(body === undefined ? {} : { body }) });
    return { status: response.status, type: response.headers.get('content-type') ?? '', bytes: await readAllBytes(response.body) };
  }, http);
  http.close();
}

describe('protobuf over the wire', () => {
  it('creates, reads, lists and deletes', () =>
    withClient(async (send) => {
      const created = await send('POST', CONFIG_MAPS, configMap('c'));
      expect([created.status, created.type]).toEqual([201, PROTOBUF]);
      const made = openEnvelope(created.bytes);
      expect([made.apiVersion, made.kind]).toEqual(['v1', 'ConfigMap']);
      expect(decodeMessage('core/v1.ConfigMap', made.raw)).toMatchObject({
        metadata: {
          name: 'c',
          namespace: 'default',
          managedFields: [{ manager: 'tester', fieldsV1: { 'f:data': { '.': {}, 'f:a': {} } } }],
        },
        data: { a: '1' },
      });
      const list = openEnvelope((await send('GET', CONFIG_MAPS)).bytes);
      expect(list.kind).toBe('ConfigMapList');
      const { items } = decodeMessage('core/v1.ConfigMapList', list.raw) as { items: { metadata: { name: string } }[] };
      expect(items.map(({ metadata }) => metadata.name)).toContain('c');
      const options = encodeObject(
        'meta/v1.DeleteOptions',
        { apiVersion: 'v1', kind: 'DeleteOptions' },
        { propagationPolicy: 'Background' },
      );
      const deleted = await send('DELETE', `${CONFIG_MAPS}/c`, options);
      expect(decodeMessage('meta/v1.Status', openEnvelope(deleted.bytes).raw)).toMatchObject({ status: 'Success', details: { name: 'c' } });
      const gone = openEnvelope((await send('GET', `${CONFIG_MAPS}/c`)).bytes);
      expect(decodeMessage('meta/v1.Status', gone.raw)).toMatchObject({ message: 'configmaps "c" not found', code: 404 });
    }));

  it('takes the first representation of several that there is', () =>
    withClient(async (send) => {
      await send('POST', CONFIG_MAPS, configMap('c'));
      const plain = await send('GET', `${CONFIG_MAPS}/c`, undefined, `application/json, ${PROTOBUF}`);
      expect(plain.type).toBe('application/json');
      const table = await send(
        'GET',
        CONFIG_MAPS,
        undefined,
        `${PROTOBUF};as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1;g=meta.k8s.io`,
      );
      expect(JSON.parse(text(table.bytes))).toMatchObject({ kind: 'Table' });
      const groups = openEnvelope((await send('GET', '/apis')).bytes);
      expect(groups.kind).toBe('APIGroupList');
    }));

  it('sends watch events in frames', () =>
    withClient(async (send, http) => {
      await send('POST', CONFIG_MAPS, configMap('c'));
      const response = await http.request({
        method: 'GET',
        target: `${CONFIG_MAPS}?watch=true&fieldSelector=metadata.name%3Dc`,
        headers: { accept: PROTOBUF },
      });
      expect(response.headers.get('content-type')).toBe(`${PROTOBUF};stream=watch`);
      const chunk = (await response.body.read())!;
      expect(new DataView(chunk.buffer, chunk.byteOffset).getUint32(0)).toBe(chunk.length - 4);
      expect(toHex(chunk.subarray(4, 11))).toBe('0a054144444544');
      expect(text(chunk)).toContain('k8s\0');
    }));

  it('says what is no protobuf', () =>
    withClient(async (send) => {
      const refused = await send('POST', CONFIG_MAPS, utf8('{"kind":"ConfigMap"}'), 'application/json');
      expect(JSON.parse(text(refused.bytes))).toMatchObject({ code: 400, reason: 'BadRequest' });
    }));
});
