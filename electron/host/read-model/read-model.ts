// Turns the lab's state into views and tells what changed, at most once a frame.

import type { Node, Pod } from '#engine/kube/machinery/types.ts';
import { Emitter } from '#engine/sim/event.ts';
import type { Changed, LabDelta } from '#shared/protocol/protocol.ts';
import type { ClockView, DoorsView, LabView, TerminalView, ViewKind } from '#shared/views/views.ts';
import type { HostedLab } from '../hosted-lab.ts';
import { nodeView } from './node-view.ts';
import { podView } from './pod-view.ts';

/** Three frames at 60 Hz: quick to the eye, and a storm of events costs twenty looks a second. */
const FRAME_MS = 50;
/** The clock on the screen shows seconds; at high speed this many looks a second are enough. */
const CLOCK_MS = 200;

export interface ReadModelSources {
  readonly lab: HostedLab;
  readonly clock: () => ClockView;
  readonly doors: () => DoorsView;
  readonly terminals: () => readonly TerminalView[];
  readonly about: () => LabView;
}

export class ReadModel {
  readonly onDelta = new Emitter<LabDelta>();
  readonly #sources: ReadModelSources;
  readonly #shown = new Map<string, { readonly change: Changed; readonly json: string }>();
  #sequence = 0;
  #frame: NodeJS.Timeout | undefined;
  readonly #ticking: NodeJS.Timeout;

  constructor(sources: ReadModelSources) {
    this.#sources = sources;
    this.#ticking = setInterval(() => this.#emit([{ kind: 'clock', id: 'clock', view: this.#clockView() }], []), CLOCK_MS);
    this.#look();
  }

  /** Something may look different now. */
  touch(): void {
    this.#frame ??= setTimeout(() => {
      this.#frame = undefined;
      const { changed, removed } = this.#look();
      if (changed.length > 0 || removed.length > 0) this.onDelta.emit(this.#delta(changed, removed));
    }, FRAME_MS);
  }

  /** Everything, for a screen that has just connected. Changes so far go to the others first. */
  whole(): LabDelta {
    const { changed, removed } = this.#look();
    if (changed.length > 0 || removed.length > 0) this.onDelta.emit(this.#delta(changed, removed));
    return { sequence: this.#sequence, isWhole: true, changed: [...this.#shown.values()].map((entry) => entry.change), removed: [] };
  }

  dispose(): void {
    clearTimeout(this.#frame);
    clearInterval(this.#ticking);
  }

  #emit(candidates: readonly Changed[], removed: LabDelta['removed']): void {
    const changed = candidates.filter((change) => this.#note(change));
    if (changed.length > 0) this.onDelta.emit(this.#delta(changed, removed));
  }

  #delta(changed: readonly Changed[], removed: LabDelta['removed']): LabDelta {
    return { sequence: ++this.#sequence, isWhole: false, changed, removed };
  }

  #look(): { readonly changed: readonly Changed[]; readonly removed: LabDelta['removed'] } {
    const present = this.#views();
    const keys = new Set(present.map(keyOf));
    const changed = present.filter((change) => this.#note(change));
    const removed: { kind: ViewKind; id: string }[] = [];
    for (const [key, { change }] of this.#shown) {
      if (keys.has(key)) continue;
      this.#shown.delete(key);
      removed.push({ kind: change.kind, id: change.id });
    }
    return { changed, removed };
  }

  /** Remembers the view; says whether it differs from the one shown. */
  #note(change: Changed): boolean {
    const key = keyOf(change);
    const json = JSON.stringify(change.view);
    if (this.#shown.get(key)?.json === json) return false;
    this.#shown.set(key, { change, json });
    return true;
  }

  #clockView(): ClockView {
    const clock = this.#sources.clock();
    return { ...clock, labMs: Math.floor(clock.labMs / 1000) * 1000 };
  }

  #views(): readonly Changed[] {
    const { lab, doors, terminals, about } = this.#sources;
    const views: Changed[] = [
      { kind: 'lab', id: 'lab', view: about() },
      { kind: 'clock', id: 'clock', view: this.#clockView() },
      { kind: 'doors', id: 'doors', view: doors() },
      { kind: 'cluster', id: 'cluster', view: { isStale: lab.isStale } },
    ];
    for (const machine of lab.machines()) views.push({ kind: 'machine', id: machine.name, view: { ...machine } });
    const pods = lab.objects('pods') as readonly Pod[];
    const perNode = new Map<string, number>();
    for (const pod of pods) {
      const view = podView(pod);
      views.push({ kind: 'pod', id: view.uid, view });
      if (view.node !== undefined) perNode.set(view.node, (perNode.get(view.node) ?? 0) + 1);
    }
    for (const node of lab.objects('nodes') as readonly Node[]) {
      views.push({ kind: 'node', id: node.metadata.name, view: nodeView(node, perNode.get(node.metadata.name) ?? 0) });
    }
    for (const { id, name, note, parent, timeMs, createdAt, summary } of lab.snapshots()) {
      views.push({ kind: 'snapshot', id, view: { id, name, note: note ?? '', parent, labMs: timeMs, createdMs: createdAt, summary } });
    }
    for (const view of terminals()) views.push({ kind: 'terminal', id: view.id, view });
    return views;
  }
}

function keyOf(change: Changed): string {
  return `${change.kind} ${change.id}`;
}
