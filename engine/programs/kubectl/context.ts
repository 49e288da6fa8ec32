// Models what every command of kubectl works with: its flags, its streams, the configuration and the connection.

import type { Process } from '../../kernel/process.ts';
import { zoneOf, type Zone } from '../../kernel/time-zone.ts';
import { isSysError } from '../../sim/errno.ts';
import { utf8 } from '../../sim/bytes.ts';
import type { FlagSet } from './flags/flag-set.ts';
import { ClientConfig } from './factory/client-config.ts';
import { Discovery } from './factory/discovery.ts';
import { RestMapper } from './factory/rest-mapper.ts';
import { Rest } from './factory/rest.ts';
import { CliError, usageError } from './errors.ts';
import { goLogStamp, klogLine } from './klog.ts';

export class Context {
  readonly process: Process;
  readonly flags: FlagSet;
  /** `create deployment`. */
  readonly path: string;
  /** Prints the command's help. */
  readonly help: () => string;
  #config: ClientConfig | undefined;
  #rest: Rest | undefined;
  #mapper: RestMapper | undefined;
  #discovery: Discovery | undefined;
  readonly #seenWarnings = new Set<string>();

  constructor(process: Process, flags: FlagSet, path: string, help: () => string) {
    this.process = process;
    this.flags = flags;
    this.path = path;
    this.help = help;
  }

  get args(): readonly string[] {
    return this.flags.args;
  }

  get commandPath(): string {
    return this.path === '' ? 'kubectl' : `kubectl ${this.path}`;
  }

  now(): number {
    return this.process.sys.now();
  }

  /** The zone times are shown in. */
  get zone(): Zone {
    return zoneOf(this.process.sys, this.process.env.get('TZ'));
  }

  async out(text: string): Promise<void> {
    if (text !== '') await this.process.stdout.write(utf8(text));
  }

  async err(text: string): Promise<void> {
    if (text !== '') await this.process.stderr.write(utf8(text));
  }

  usage(message: string): CliError {
    return usageError(this.commandPath, message);
  }

  get config(): ClientConfig {
    this.#config ??= ClientConfig.load(this.process, this.flags, (line) => {
      this.#pendingWarnings.push(line);
    });
    return this.#config;
  }

  readonly #pendingWarnings: string[] = [];

  /** A line of Go's log package, printed with the next flush. */
  warn(text: string): void {
    this.#pendingWarnings.push(`${goLogStamp(this.now(), this.zone)} ${text}`);
  }

  /** Prints warnings that came up while files were read. */
  async flushWarnings(): Promise<void> {
    for (const line of this.#pendingWarnings.splice(0)) await this.err(`${line}\n`);
  }

  get rest(): Rest {
    this.#rest ??= new Rest(this.process, this.config.restConfig(), {
      verbosity: this.verbosity,
      onWarning: async (text) => {
        if (this.#seenWarnings.has(text)) return;
        this.#seenWarnings.add(text);
        await this.err(`Warning: ${text}\n`);
      },
      log: (text) => this.err(`${this.logLine('I', 'round_trippers.go', text)}\n`),
    });
    return this.#rest;
  }

  get warnings(): ReadonlySet<string> {
    return this.#seenWarnings;
  }

  get verbosity(): number {
    return Number(this.flags.string('v')) || 0;
  }

  get discovery(): Discovery {
    this.#discovery ??= new Discovery(this.process, this.rest, this.flags);
    return this.#discovery;
  }

  get mapper(): RestMapper {
    this.#mapper ??= new RestMapper(this.discovery);
    return this.#mapper;
  }

  /** The namespace to work in, and whether the user demanded it. */
  namespace(): { readonly name: string; readonly isExplicit: boolean } {
    return this.config.namespace();
  }

  /** klog's line: `I1121 00:17:26.743993   11291 loader.go:223] text`. */
  logLine(level: string, place: string, text: string): string {
    return klogLine(this.process, level, place, text);
  }

  readTextFile(path: string): string {
    try {
      return this.process.sys.readTextFile(path);
    } catch (error) {
      if (isSysError(error)) throw new CliError(`open ${path}: ${error.strerror.toLowerCase()}`);
      throw error;
    }
  }

  close(): void {
    this.#rest?.close();
  }
}
