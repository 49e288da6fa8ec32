// kustomize as kubectl v1.20.2 has it: the same directories built by the real kubectl and by ours. What the real one printed is kept, so
// that the comparison runs where there is no kubectl, too; with a kubectl (and NOBOX_RECORD=1) it is written anew.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { build } from '../../../engine/kustomize/build.ts';
import { KustomizeError } from '../../../engine/kustomize/error.ts';
import type { FileSystem } from '../../../engine/kustomize/loader.ts';
import { toYaml } from '../../../engine/programs/kubectl/printers/yaml.ts';
import { KUBECTL } from '../api/real-kubectl.ts';
import { FIXTURES, type Fixture } from './fixtures.ts';

const GOLDEN = path.join(import.meta.dirname, 'golden.json');
const golden: Record<string, string> = existsSync(GOLDEN) ? (JSON.parse(readFileSync(GOLDEN, 'utf8')) as Record<string, string>) : {};
const isRecording = KUBECTL !== undefined && process.env['NOBOX_RECORD'] !== undefined;
const recorded: Record<string, string> = {};

const files: FileSystem = {
  resolve: (file) => {
    const parts = path.resolve(file).split('/').slice(1);
    for (let length = 1; length <= parts.length; length++) {
      const part = `/${parts.slice(0, length).join('/')}`;
      if (!existsSync(part)) throw new KustomizeError(`lstat ${part}: no such file or directory`);
    }
    const real = realpathSync(file);
    return { path: real, isFolder: statSync(real).isDirectory() };
  },
  read: (file) => readFileSync(file),
  environment: () => '',
};

describe('a kustomization is built as kubectl v1.20.2 builds it', () => {
  test.each(FIXTURES)('$name', (fixture) => {
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'kustomize-')));
    try {
      write(folder, fixture);
      const target = path.join(folder, fixture.target ?? '.');
      const real = KUBECTL === undefined ? undefined : realOutput(target).replaceAll(folder, '/F');
      if (real !== undefined) recorded[fixture.name] = real;
      const wanted = real ?? golden[fixture.name];
      if (!isRecording) expect(golden[fixture.name], 'what is kept of the real kubectl').toBe(wanted);
      expect(ourOutput(target).replaceAll(folder, '/F')).toBe(wanted);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  afterAll(() => {
    if (isRecording) writeFileSync(GOLDEN, `${JSON.stringify(recorded, undefined, 2)}\n`);
  });
});

function write(folder: string, fixture: Fixture): void {
  for (const [name, text] of Object.entries(fixture.files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

function realOutput(target: string): string {
  const { stdout, stderr } = spawnSync(KUBECTL ?? '', ['kustomize', target], { encoding: 'utf8', timeout: 20_000 });
  return stdout + withoutTime(stderr);
}

function ourOutput(target: string): string {
  let remarks = '';
  try {
    const objects = build(target, { files, log: (text) => (remarks += `TIME ${text}\n`) });
    return objects.map(toYaml).join('---\n') + remarks;
  } catch (error) {
    if (error instanceof KustomizeError) return `${remarks}Error: ${error.message}\n`;
    throw error;
  }
}

function withoutTime(text: string): string {
  return text.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /gm, 'TIME ');
}
