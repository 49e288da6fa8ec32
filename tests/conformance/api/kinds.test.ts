// The computer's own kubectl v1.20.2 knows every kind: it finds it, explains it and refuses what does not belong to it.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiVersionOf } from '../../../engine/kube/machinery/resources.ts';
import { BUILT_IN } from '../../../engine/kube/registry/index.ts';
import { findKubectl } from '../../../scripts/lib/real-kubectl.mjs';
import { openPlainFront, type PlainFront } from '../../support/plain-front.ts';

const KUBECTL = findKubectl();

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

let front: PlainFront;
let home: string;

function kubectl(...argv: readonly string[]): Promise<Printed> {
  return new Promise((resolve) => {
    const options = { env: { HOME: home, PATH: process.env['PATH'] ?? '' }, maxBuffer: 1 << 26 };
    execFile(KUBECTL!, ['-s', `http://127.0.0.1:${front.port}`, ...argv], options, (error, stdout, stderr) =>
      resolve({ stdout, stderr, exit: error === null ? 0 : Number(error.code ?? 1) }),
    );
  });
}

/** A few at a time: each of them is a process that mostly waits. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all([worker(), worker(), worker()]);
}

const SERVED = BUILT_IN.flatMap((definition) =>
  [definition, ...definition.alsoServedAs].map((served) => ({ definition, apiVersion: apiVersionOf(served) })),
);

describe.skipIf(KUBECTL === undefined)('kubectl v1.20.2 and every kind', () => {
  beforeAll(async () => {
    front = await openPlainFront();
    home = mkdtempSync(path.join(tmpdir(), 'nobox-kinds-'));
  });
  afterAll(async () => {
    await front[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  it('are found by their names, short names and groups', async () => {
    const { stdout } = await kubectl('api-resources', '-o', 'name');
    const names = new Set(SERVED.map(({ definition, apiVersion }) => [definition.plural, ...apiVersion.split('/').slice(0, -1)].join('.')));
    expect(stdout.trim().split('\n').sort()).toEqual([...names].sort());
    const { stdout: extensions } = await kubectl('get', 'api-extensions');
    expect(extensions).toContain('apiservice.apiregistration.k8s.io/v1.apps');
  });

  it('are explained in every version', async () => {
    const bad: string[] = [];
    await inParallel(SERVED, async ({ definition, apiVersion }) => {
      const { plural, kind } = definition;
      const { stdout, stderr } = await kubectl('explain', plural, `--api-version=${apiVersion}`, '--recursive');
      const isExplained =
        stdout.startsWith(`KIND:     ${kind}\nVERSION:  ${apiVersion}\n\nDESCRIPTION:\n`) && /\nFIELDS:\n {3}\w+\t</.test(stdout) && stderr === '';
      if (!isExplained) bad.push(`${plural} ${apiVersion}: ${stdout.slice(0, 80)}${stderr}`);
      // Only the aggregator's own kind has no published description.
      if (stdout.includes('<empty>') && kind !== 'APIService') bad.push(`${plural} ${apiVersion} has no description`);
    });
    expect(bad).toEqual([]);
  }, 120_000);

  it('have fields that are checked before anything is sent', async () => {
    const bad: string[] = [];
    const stored = SERVED.filter(({ definition, apiVersion }) => !definition.discoveryOnly && apiVersion === apiVersionOf(definition));
    await inParallel(stored, async ({ definition: { kind }, apiVersion }) => {
      const file = path.join(home, `${kind}.yaml`);
      writeFileSync(file, `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x, labls: {a: b}}\nnosuchfield: 1\n`);
      const { stderr } = await kubectl('create', '--dry-run=client', '-f', file);
      const wanted = [
        `error: error validating "${file}": error validating data: [ValidationError(`,
        `ValidationError(${kind}.metadata): unknown field "labls" in io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta`,
        `ValidationError(${kind}): unknown field "nosuchfield" in io.k8s.`,
        ']; if you choose to ignore these errors, turn validation off with --validate=false\n',
      ];
      if (!wanted.every((part) => stderr.includes(part))) bad.push(`${apiVersion} ${kind}: ${stderr}`);
    });
    expect(bad).toEqual([]);
  }, 120_000);
});
