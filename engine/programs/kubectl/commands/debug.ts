// Models `kubectl debug`: a container added to a pod, a changed copy of a pod, or a pod with a node's namespaces and files.

import { isNotFound, ApiError } from '../../../kube/machinery/api-error.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { objectsOf } from '../resource/infos.ts';
import { at } from './common.ts';
import { attachTo, nameOf, namespaceOf } from './exec.ts';
import { IMAGE, printLog, waitForPod } from './run.ts';

export const debug: Command = { name: 'debug', run };

/** What a session of debugging is to be. */
interface Wanted {
  readonly targets: readonly string[];
  readonly words: readonly string[];
  readonly image: string;
  readonly container: string;
  readonly copyTo: string;
  readonly images: ReadonlyMap<string, string>;
  readonly isAttached: boolean;
}

/** A pod, and the container to attach to when there is one. */
interface Session {
  readonly pod: JsonObject;
  readonly container: string;
}

const NAME_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;

async function run(context: Context): Promise<void> {
  const { flags, args } = context;
  const dash = flags.argsBeforeDash;
  const hasWords = dash >= 0 && args.length > dash;
  const wanted: Wanted = {
    targets: hasWords ? args.slice(0, dash) : args,
    words: hasWords ? args.slice(dash) : [],
    image: flags.string('image'),
    container: flags.string('container'),
    copyTo: flags.string('copy-to'),
    images: flags.map('set-image'),
    isAttached: flags.isChanged('attach') ? flags.bool('attach') : flags.bool('stdin'),
  };
  const namespace = context.namespace().name;
  await context.flushWarnings();
  check(context, wanted);
  const { infos, errors } = await objectsOf(context, {
    args: wanted.targets.map((target) => (target.includes('/') ? target : `pods/${target}`)),
    filenames: [],
    recursive: false,
    selector: '',
    all: false,
    latest: true,
  });
  throwAll(errors);
  for (const { mapping, object = {} } of infos) {
    let session: Session;
    if (mapping.group === '' && mapping.kind === 'Node') session = await debugNode(context, wanted, object, namespace);
    else if (mapping.group === '' && mapping.kind === 'Pod')
      session = wanted.copyTo === '' ? await addEphemeral(context, wanted, object) : await copyPod(context, wanted, object);
    else throw new CliError(`"${mapping.group}/${mapping.version}, Kind=${mapping.kind}" not supported by debug`);
    if (wanted.isAttached && session.container !== '') await attach(context, session);
  }
}

function check(context: Context, { targets, words, image, container, copyTo, images, isAttached }: Wanted): void {
  const { flags } = context;
  const fail = (message: string): never => {
    throw new CliError(message);
  };
  if (isAttached && flags.isChanged('attach') && image === '' && container === '')
    fail('you must specify --container or create a new container using --image in order to attach.');
  if (copyTo !== '') {
    if (image === '' && images.size === 0 && words.length === 0) fail('you must specify --image, --set-image or command arguments.');
    if (words.length > 0 && container === '' && image === '')
      fail('you must specify an existing container or a new image when specifying args.');
  } else {
    for (const name of ['replace', 'same-node']) if (flags.bool(name)) fail(`--${name} may only be used with --copy-to.`);
    if (images.size > 0) fail('--set-image may only be used with --copy-to.');
    if (image === '') fail('you must specify --image when not using --copy-to.');
  }
  if (image !== '' && !IMAGE.test(image)) fail(`invalid image name ${JSON.stringify(image)}: invalid reference format`);
  if (targets.length === 0) fail('NAME is required for debug');
  const pull = flags.string('image-pull-policy');
  if (!['', 'Always', 'IfNotPresent', 'Never'].includes(pull)) fail(`invalid image pull policy: ${pull}`);
  for (const [name, value] of images) {
    if (!IMAGE.test(value))
      fail(`invalid image name ${JSON.stringify(value)} for container ${JSON.stringify(name)}: invalid reference format`);
  }
  if (flags.string('target') !== '' && copyTo !== '') fail('--target is incompatible with --copy-to. Use --share-processes instead.');
  if (flags.bool('tty') && !flags.bool('stdin')) fail('-i/--stdin is required for containers with -t/--tty=true');
}

/** The fields every container for debugging has. */
function containerFields(context: Context, name: string, words: readonly string[]): JsonObject {
  const { flags } = context;
  const env = [...flags.map('env')].map(([key, value]) => ({ name: key, value }));
  const pull = flags.string('image-pull-policy');
  return {
    name,
    image: flags.string('image'),
    ...(words.length === 0 ? {} : { [flags.bool('arguments-only') ? 'args' : 'command']: words }),
    ...(env.length === 0 ? {} : { env }),
    resources: {},
    terminationMessagePolicy: 'File',
    ...(pull === '' ? {} : { imagePullPolicy: pull }),
    ...(flags.bool('stdin') ? { stdin: true } : {}),
    ...(flags.bool('tty') ? { tty: true } : {}),
  };
}

async function addEphemeral(context: Context, { container, words }: Wanted, pod: JsonObject): Promise<Session> {
  const target = `${podsPath(namespaceOf(pod))}/${nameOf(pod)}/ephemeralcontainers`;
  let present: JsonObject;
  try {
    present = await context.rest.json<JsonObject>('GET', target);
  } catch (error) {
    // The pod is there, so it is the subresource that is not.
    if (!isNotFound(error)) throw error;
    throw new CliError(`ephemeral containers are disabled for this cluster (error from server: ${JSON.stringify(error.message)}).`);
  }
  const name = container === '' ? await newContainerName(context, pod) : container;
  const list = Array.isArray(present['ephemeralContainers']) ? (present['ephemeralContainers'] as JsonObject[]) : [];
  const targetContainer = context.flags.string('target');
  const added = {
    ...containerFields(context, name, words),
    ...(targetContainer === '' ? {} : { targetContainerName: targetContainer }),
  };
  try {
    await context.rest.json('PUT', target, { body: { ...present, ephemeralContainers: [...list, added] } });
  } catch (error) {
    if (error instanceof ApiError) throw new CliError(`error updating ephemeral containers: ${error.message}`);
    throw error;
  }
  return { pod, container: name };
}

async function copyPod(context: Context, wanted: Wanted, pod: JsonObject): Promise<Session> {
  const { flags } = context;
  const { spec, container } = await copiedSpec(context, wanted, pod);
  const annotations = at(pod, 'metadata', 'annotations');
  const namespace = namespaceOf(pod);
  const created = await context.rest.json<JsonObject>('POST', podsPath(namespace), {
    body: {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: wanted.copyTo, namespace, creationTimestamp: null, ...(isObject(annotations) ? { annotations } : {}) },
      spec,
      status: {},
    },
  });
  if (flags.bool('replace')) {
    await context.rest.json('DELETE', `${podsPath(namespace)}/${nameOf(pod)}`, {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 },
    });
  }
  return { pod: created, container };
}

async function copiedSpec(
  context: Context,
  { words, image, images, container }: Wanted,
  pod: JsonObject,
): Promise<{ readonly spec: JsonObject; readonly container: string }> {
  const { flags } = context;
  const { ephemeralContainers, nodeName, ...rest } = isObject(pod['spec']) ? pod['spec'] : {};
  void ephemeralContainers;
  const spec: JsonObject = { ...rest };
  if (flags.bool('same-node') && nodeName !== undefined) spec['nodeName'] = nodeName;
  if (flags.isChanged('share-processes')) spec['shareProcessNamespace'] = flags.bool('share-processes');
  const containers = listAt(spec, 'containers').map((each) => {
    const override = images.get(String(each['name'])) ?? images.get('*') ?? '';
    return override === '' ? each : { ...each, image: override };
  });
  spec['containers'] = containers;
  const everyList = ['containers', 'initContainers'];
  const list = everyList.find((key) => container !== '' && listAt(spec, key).some((each) => each['name'] === container));
  if (list !== undefined) {
    spec[list] = listAt(spec, list).map((each) => (each['name'] === container ? changed(context, each, words) : each));
    return { spec, container };
  }
  if (image === '') {
    if (images.size > 0) return { spec, container: '' };
    throw new CliError('you must specify image when creating new container');
  }
  const name = container === '' ? await newContainerName(context, { spec }) : container;
  spec['containers'] = [...containers, containerFields(context, name, words)];
  return { spec, container: name };
}

/** A container that is there, with what the flags say of it. */
function changed(context: Context, container: JsonObject, words: readonly string[]): JsonObject {
  const { stdin, tty, ...rest } = container;
  void [stdin, tty];
  const { name, resources, terminationMessagePolicy, image, command, args, ...fields } = containerFields(
    context,
    String(container['name']),
    words,
  );
  void [name, resources, terminationMessagePolicy];
  const next: JsonObject = { ...rest, ...fields };
  if (image !== '') next['image'] = image;
  if (args !== undefined) next['args'] = args;
  if (command !== undefined) {
    next['command'] = command;
    delete next['args'];
  }
  return next;
}

async function debugNode(context: Context, wanted: Wanted, node: JsonObject, namespace: string): Promise<Session> {
  const nodeName = nameOf(node);
  const container = wanted.container === '' ? 'debugger' : wanted.container;
  const name = `node-debugger-${nodeName}-${suffix(context)}`;
  if (!context.flags.bool('quiet')) await context.out(`Creating debugging pod ${name} with container ${container} on node ${nodeName}.\n`);
  const pod = await context.rest.json<JsonObject>('POST', podsPath(namespace), {
    body: {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name, creationTimestamp: null },
      spec: {
        volumes: [{ name: 'host-root', hostPath: { path: '/' } }],
        containers: [{ ...containerFields(context, container, wanted.words), volumeMounts: [{ name: 'host-root', mountPath: '/host' }] }],
        restartPolicy: 'Never',
        nodeName,
        hostNetwork: true,
        hostPID: true,
        hostIPC: true,
      },
      status: {},
    },
  });
  return { pod, container };
}

async function newContainerName(context: Context, pod: JsonObject): Promise<string> {
  const taken = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((key) =>
    listAt(pod['spec'], key).map((container) => container['name']),
  );
  let name: string;
  do name = `debugger-${suffix(context)}`;
  while (taken.includes(name));
  if (!context.flags.bool('quiet')) await context.out(`Defaulting debug container name to ${name}.\n`);
  return name;
}

function suffix(context: Context): string {
  const { rng } = context.process.sys;
  return Array.from({ length: SUFFIX_LENGTH }, () => NAME_LETTERS[rng.int(NAME_LETTERS.length)] ?? '').join('');
}

/** Waits until the container runs, and attaches; one that has ended shows its log. */
async function attach(context: Context, session: Session): Promise<void> {
  const { flags } = context;
  const { container } = session;
  const pod = await waitForPod(context, session.pod, (candidate) => hasStarted(candidate, container), 0);
  if (isObject(stateOf(pod, container)?.['terminated'])) {
    await printLog(context, pod, container);
    return;
  }
  const quiet = flags.bool('quiet');
  try {
    await attachTo(context, pod, { stdin: flags.bool('stdin'), tty: flags.bool('tty'), quiet, container });
  } catch (error) {
    if (!(error instanceof ApiError) && !(error instanceof CliError)) throw error;
    await context.err(`Error attaching, falling back to logs: ${error.message}\n`);
    await printLog(context, pod, container);
    return;
  }
  const isRaw = flags.bool('tty') && context.process.stdin.tty !== undefined;
  if (flags.bool('stdin') && isRaw && !quiet && at(pod, 'spec', 'restartPolicy') === 'Always') {
    await context.out(
      `Session ended, resume using 'kubectl attach ${nameOf(pod)} -c ${container} -i -t' command when the pod is running\n`,
    );
  }
}

function hasStarted(pod: JsonObject, container: string): boolean {
  const state = stateOf(pod, container);
  return isObject(state?.['running']) || isObject(state?.['terminated']);
}

function stateOf(pod: JsonObject, container: string): JsonObject | undefined {
  const status = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses']
    .flatMap((key) => listAt(pod['status'], key))
    .find((each) => each['name'] === container);
  const state = status?.['state'];
  return isObject(state) ? state : undefined;
}

function listAt(object: unknown, key: string): readonly JsonObject[] {
  const list = at(object, key);
  return Array.isArray(list) ? (list as JsonObject[]) : [];
}

function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}
