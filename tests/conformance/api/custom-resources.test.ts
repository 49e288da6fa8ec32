// The computer's own kubectl v1.20.2 and a kind that somebody defines: from its definition to its end.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findKubectl } from '../../../scripts/lib/real-kubectl.mjs';
import { openPlainFront, type PlainFront } from '../../support/plain-front.ts';

const KUBECTL = findKubectl();

const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        description: A job that comes again and again.
        type: object
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$'}
              image: {type: string, description: What to run.}
              replicas: {type: integer, minimum: 1, maximum: 10, default: 3}
          status:
            type: object
            properties: {replicas: {type: integer}, labelSelector: {type: string}}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.labelSelector}
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Image, type: string, priority: 1, jsonPath: .spec.image}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
`;
const OBJECT = `apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: nightly}
spec: {cronSpec: "0 3 * * *", image: busybox}
`;

let front: PlainFront;
let home: string;

/** What a line prints, ages masked: standard output, then errors. */
function kubectl(line: string): Promise<string> {
  return new Promise((resolve) => {
    const options = { env: { HOME: home, PATH: process.env['PATH'] ?? '' }, cwd: home };
    const argv = line.match(/'[^']*'|\S+/g)!.map((word) => word.replaceAll("'", ''));
    execFile(KUBECTL!, ['-s', `http://127.0.0.1:${front.port}`, ...argv], options, (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`.replaceAll(/\b\d+s\n/g, 'AGE\n').trimEnd()),
    );
  });
}

describe.skipIf(KUBECTL === undefined)('kubectl v1.20.2 and a kind of its own', () => {
  beforeAll(async () => {
    front = await openPlainFront();
    home = mkdtempSync(path.join(tmpdir(), 'nobox-custom-'));
    writeFileSync(path.join(home, 'definition.yaml'), DEFINITION);
    writeFileSync(path.join(home, 'object.yaml'), OBJECT);
    writeFileSync(path.join(home, 'unknown.yaml'), OBJECT.replace('image: busybox', 'imago: busybox'));
    writeFileSync(path.join(home, 'wrong.yaml'), OBJECT.replace('nightly', 'wrong').replace('0 3 * * *', 'soon').replace('busybox', 'busybox, replicas: 11'));
  });
  afterAll(async () => {
    await front[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  it('goes from its definition to its end', { timeout: 120_000 }, async () => {
    const said: [string, string][] = [];
    for (const line of [
      'get crontabs',
      'apply -f definition.yaml',
      'wait --for=condition=Established crd/crontabs.stable.example.com',
      'api-resources --api-group=stable.example.com',
      'apply -f unknown.yaml',
      'apply -f object.yaml',
      'apply -f object.yaml',
      'apply --validate=false -f unknown.yaml',
      'apply -f wrong.yaml',
      'get ct',
      'get ct -o wide',
      'get all -l nothing=such',
      'explain ct.spec',
      'scale ct/nightly --replicas=5',
      'scale ct/nightly --replicas=50',
      `patch ct nightly --type=merge -p '{"spec":{"replicas":"many"}}'`,
      `patch ct nightly -p '{"spec":{"replicas":2}}'`,
      'label ct nightly team=web',
      'get ct -l team=web -o name',
      'get ct --field-selector spec.image=busybox',
      'get ct/nightly -o jsonpath={.spec.replicas}/{.metadata.generation}',
      'delete ct nightly --dry-run=server',
      'delete crd crontabs.stable.example.com',
      'get ct',
    ])
      said.push([line, await kubectl(line)]);
    expect(said).toEqual([
      ['get crontabs', `error: the server doesn't have a resource type "crontabs"`],
      ['apply -f definition.yaml', 'customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com created'],
      [
        'wait --for=condition=Established crd/crontabs.stable.example.com',
        'customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com condition met',
      ],
      [
        'api-resources --api-group=stable.example.com',
        'NAME       SHORTNAMES   APIVERSION              NAMESPACED   KIND\ncrontabs   ct           stable.example.com/v1   true         CronTab',
      ],
      [
        'apply -f unknown.yaml',
        'error: error validating "unknown.yaml": error validating data: ValidationError(CronTab.spec): unknown field "imago" in com.example.stable.v1.CronTab.spec; if you choose to ignore these errors, turn validation off with --validate=false',
      ],
      ['apply -f object.yaml', 'crontab.stable.example.com/nightly created'],
      ['apply -f object.yaml', 'crontab.stable.example.com/nightly unchanged'],
      ['apply --validate=false -f unknown.yaml', 'crontab.stable.example.com/nightly configured'],
      [
        'apply -f wrong.yaml',
        `The CronTab "wrong" is invalid: \n* spec.cronSpec: Invalid value: "soon": spec.cronSpec in body should match '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$'\n* spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10`,
      ],
      ['get ct', 'NAME      SPEC        REPLICAS   AGE\nnightly   0 3 * * *   3          AGE'],
      ['get ct -o wide', 'NAME      SPEC        REPLICAS   IMAGE   AGE\nnightly   0 3 * * *   3                  AGE'],
      ['get all -l nothing=such', 'No resources found in default namespace.'],
      [
        'explain ct.spec',
        'KIND:     CronTab\nVERSION:  stable.example.com/v1\n\nRESOURCE: spec <Object>\n\nDESCRIPTION:\n     <empty>\n\nFIELDS:\n   cronSpec\t<string> -required-\n\n   image\t<string>\n     What to run.\n\n   replicas\t<integer>',
      ],
      ['scale ct/nightly --replicas=5', 'crontab.stable.example.com/nightly scaled'],
      [
        'scale ct/nightly --replicas=50',
        'The CronTab "nightly" is invalid: spec.replicas: Invalid value: 50: spec.replicas in body should be less than or equal to 10',
      ],
      [
        `patch ct nightly --type=merge -p '{"spec":{"replicas":"many"}}'`,
        'The CronTab "nightly" is invalid: \n* spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"\n* .spec.replicas: Invalid value: 0: .spec.replicas accessor error: many is of the type string, expected int64',
      ],
      [
        `patch ct nightly -p '{"spec":{"replicas":2}}'`,
        'Error from server (UnsupportedMediaType): the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
      ],
      ['label ct nightly team=web', 'crontab.stable.example.com/nightly labeled'],
      ['get ct -l team=web -o name', 'crontab.stable.example.com/nightly'],
      [
        'get ct --field-selector spec.image=busybox',
        'Error from server (BadRequest): Unable to find "stable.example.com/v1, Resource=crontabs" that match label selector "", field selector "spec.image=busybox": field label not supported: spec.image',
      ],
      ['get ct/nightly -o jsonpath={.spec.replicas}/{.metadata.generation}', '5/3'],
      ['delete ct nightly --dry-run=server', 'crontab.stable.example.com "nightly" deleted (server dry run)'],
      ['delete crd crontabs.stable.example.com', 'customresourcedefinition.apiextensions.k8s.io "crontabs.stable.example.com" deleted'],
      [
        'get ct',
        'Error from server (NotFound): Unable to list "stable.example.com/v1, Resource=crontabs": the server could not find the requested resource (get crontabs.stable.example.com)',
      ],
    ]);
  });
});
