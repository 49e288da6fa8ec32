// Models the describers' writer: indented lines whose tabs become columns at the end.

import type { Zone } from '../../../kernel/time-zone.ts';
import { at } from '../commands/common.ts';
import type { JsonObject } from '../printers/json.ts';
import { rfc1123, text as textOf } from './values.ts';
import { alignTabs, DESCRIBE_LAYOUT } from '../printers/tab-writer.ts';

export class DescribeWriter {
  #text = '';
  readonly #zone: Zone;

  /** Times are written in `zone`. */
  constructor(zone: Zone = { name: 'UTC', offsetMinutes: 0 }) {
    this.#zone = zone;
  }

  /** A time of the API, as Go's RFC1123Z. */
  time(timestamp: unknown): string {
    return rfc1123(timestamp, this.#zone);
  }

  /** Writes `text` behind `level` indents; the text brings its own line end. */
  write(level: number, text: string): void {
    this.#text += '  '.repeat(level) + text;
  }

  line(level: number, text: string): void {
    this.write(level, `${text}\n`);
  }

  /** The aligned text. */
  toString(): string {
    return alignTabs(this.#text, DESCRIBE_LAYOUT);
  }

  /** The text with its tabs. */
  get raw(): string {
    return this.#text;
  }
}

/** A writer that has told name, namespace, labels and annotations. */
export function startWithLabels(
  object: JsonObject,
  options: { readonly withNamespace: boolean; readonly zone?: Zone } = { withNamespace: true },
): DescribeWriter {
  const writer = new DescribeWriter(options.zone);
  writer.line(0, `Name:\t${textOf(at(object, 'metadata', 'name'))}`);
  if (options.withNamespace) writer.line(0, `Namespace:\t${textOf(at(object, 'metadata', 'namespace'))}`);
  writeLabels(writer, 0, 'Labels', at(object, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(object, 'metadata', 'annotations'));
  return writer;
}

const INDENT = '  ';
/** Maps' values longer than this go under their key. */
const MAX_ANNOTATION_LENGTH = 140;

/** `Title:\ta=b\n\tc=d`, as labels are shown. */
export function writeLabels(writer: DescribeWriter, level: number, title: string, labels: unknown): void {
  writeMap(writer, level, title, labels, () => false);
}

function writeMap(writer: DescribeWriter, level: number, title: string, labels: unknown, skip: (key: string) => boolean): void {
  writer.write(level, `${title}:\t`);
  const pairs = typeof labels === 'object' && labels !== null ? (labels as Record<string, unknown>) : {};
  const keys = Object.keys(pairs)
    .filter((key) => !skip(key))
    .sort();
  if (keys.length === 0) writer.write(0, '<none>\n');
  keys.forEach((key, index) => {
    if (index > 0) writer.write(level, '\t');
    writer.write(0, `${key}=${String(pairs[key])}\n`);
  });
}

/** Annotations, without the one of apply; long values get lines of their own. */
export function writeAnnotations(writer: DescribeWriter, level: number, title: string, annotations: unknown): void {
  writer.write(level, `${title}:\t`);
  const pairs = typeof annotations === 'object' && annotations !== null ? (annotations as Record<string, unknown>) : {};
  const keys = Object.keys(pairs)
    .filter((key) => key !== 'kubectl.kubernetes.io/last-applied-configuration')
    .sort();
  if (keys.length === 0) writer.write(0, '<none>\n');
  const indent = `\t${INDENT.repeat(level)}`;
  keys.forEach((key, index) => {
    if (index > 0) writer.write(0, indent);
    const value = String(pairs[key]).replace(/\n$/, '');
    if ((value.length + key.length + 2 > MAX_ANNOTATION_LENGTH && value.length > 0) || value.includes('\n')) {
      writer.write(0, `${key}:\n`);
      for (const line of value.split('\n'))
        writer.write(0, `${indent}  ${line.length > MAX_ANNOTATION_LENGTH ? `${line.slice(0, MAX_ANNOTATION_LENGTH)}...` : line}\n`);
    } else writer.write(0, `${key}: ${value}\n`);
  });
}
