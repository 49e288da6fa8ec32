// Models sftp-server(8) of OpenSSH 7.4: what sftp clients, and scp of newer ones, talk to.
// Not modelled: statvfs@openssh.com, fstatvfs@openssh.com.

import type { OpenFlags, Process, Program, Stat } from '../../../kernel/process.ts';
import { isSysError } from '../../../sim/errno.ts';
import { longName, readAttributes, writeStat, type Attributes } from './attributes.ts';
import { BadPacket, PACKET, PacketReader, PacketStream, PacketWriter, STATUS } from './packet.ts';

export const sftpServer: Program = { name: 'sftp-server', paths: ['/usr/libexec/openssh/sftp-server'], main };

const VERSION = 3;
const EXTENSIONS: readonly (readonly [string, string])[] = [
  ['posix-rename@openssh.com', '1'],
  ['hardlink@openssh.com', '1'],
  ['fsync@openssh.com', '1'],
];
const MESSAGES: Readonly<Record<number, string>> = {
  [STATUS.ok]: 'Success',
  [STATUS.endOfFile]: 'End of file',
  [STATUS.noSuchFile]: 'No such file',
  [STATUS.permissionDenied]: 'Permission denied',
  [STATUS.failure]: 'Failure',
  [STATUS.badMessage]: 'Bad message',
  [STATUS.unsupported]: 'Operation unsupported',
};
/** Longest piece a read is answered with; clients ask again (sftp-server.c). */
const LONGEST_READ = 64 * 1024;
/** Names in one answer to a readdir, as OpenSSH has it. */
const NAMES_AT_ONCE = 100;

async function main(process: Process): Promise<number> {
  const session = new SftpSession(process);
  const packets = new PacketStream(process.stdin);
  try {
    for (let packet = await packets.next(); packet !== undefined; packet = await packets.next()) {
      await process.stdout.write(await session.answer(packet));
    }
  } catch (error) {
    if (!(error instanceof BadPacket)) throw error;
    return 11;
  }
  return 0;
}

type Handle =
  | { readonly kind: 'file'; readonly fd: number; readonly path: string; readonly isAppending: boolean }
  | { readonly kind: 'directory'; readonly path: string; names: readonly string[] };

class SftpSession {
  readonly #process: Process;
  readonly #handles = new Map<string, Handle>();
  #count = 0;

  constructor(process: Process) {
    this.#process = process;
  }

  /** The answer to one request, as it goes onto the wire. */
  async answer(packet: Uint8Array): Promise<Uint8Array> {
    const reader = new PacketReader(packet);
    const kind = reader.byte();
    if (kind === PACKET.init) return this.#version();
    const id = reader.uint32();
    try {
      return await this.#request(kind, id, reader);
    } catch (error) {
      if (!isSysError(error)) throw error;
      return status(id, statusOf(error.errno));
    }
  }

  async #request(kind: number, id: number, reader: PacketReader): Promise<Uint8Array> {
    const { sys } = this.#process;
    switch (kind) {
      case PACKET.open:
        return this.#open(id, reader);
      case PACKET.close:
        return this.#close(id, reader.string());
      case PACKET.read:
        return this.#read(id, reader);
      case PACKET.write:
        return this.#write(id, reader);
      case PACKET.lstat:
        return attributes(id, sys.lstat(pathOf(reader)));
      case PACKET.stat:
        return attributes(id, sys.stat(pathOf(reader)));
      case PACKET.fstat: {
        const handle = this.#handles.get(reader.string());
        if (handle === undefined) return status(id, STATUS.failure);
        return attributes(id, handle.kind === 'file' ? sys.file(handle.fd).stat() : sys.stat(handle.path));
      }
      case PACKET.setstat: {
        const path = pathOf(reader);
        this.#apply(path, readAttributes(reader));
        return status(id, STATUS.ok);
      }
      case PACKET.fsetstat: {
        const handle = this.#handles.get(reader.string());
        if (handle === undefined) return status(id, STATUS.failure);
        this.#apply(handle.path, readAttributes(reader), handle.kind === 'file' ? handle.fd : undefined);
        return status(id, STATUS.ok);
      }
      case PACKET.opendir: {
        const path = pathOf(reader);
        const names = ['.', '..', ...sys.readdir(path)];
        return this.#handle(id, { kind: 'directory', path, names });
      }
      case PACKET.readdir:
        return this.#readdir(id, reader.string());
      case PACKET.remove:
        sys.unlink(pathOf(reader));
        return status(id, STATUS.ok);
      case PACKET.mkdir: {
        const path = pathOf(reader);
        sys.mkdir(path, { mode: readAttributes(reader).mode ?? 0o777 });
        return status(id, STATUS.ok);
      }
      case PACKET.rmdir:
        sys.rmdir(pathOf(reader));
        return status(id, STATUS.ok);
      case PACKET.realpath: {
        const path = pathOf(reader);
        // realpath(3) of OpenSSH lets the last component be missing.
        const real = sys.exists(path) ? sys.realpath(path) : joined(sys.realpath(parentOf(path)), path.replace(/^.*\//, ''));
        return new PacketWriter().byte(PACKET.name).uint32(id).uint32(1).string(real).string(real).uint32(0).packet();
      }
      case PACKET.rename:
        return this.#rename(id, pathOf(reader), pathOf(reader));
      case PACKET.readlink: {
        const target = sys.readlink(pathOf(reader));
        return new PacketWriter().byte(PACKET.name).uint32(id).uint32(1).string(target).string(target).uint32(0).packet();
      }
      case PACKET.symlink: {
        // OpenSSH has the two the other way round than the draft.
        const target = reader.string();
        sys.symlink(target, pathOf(reader));
        return status(id, STATUS.ok);
      }
      case PACKET.extended:
        return this.#extended(id, reader);
      default:
        return status(id, STATUS.unsupported);
    }
  }

  #version(): Uint8Array {
    const answer = new PacketWriter().byte(PACKET.version).uint32(VERSION);
    for (const [name, version] of EXTENSIONS) answer.string(name).string(version);
    return answer.packet();
  }

  #open(id: number, reader: PacketReader): Uint8Array {
    const { sys } = this.#process;
    const path = pathOf(reader);
    const flags = openFlags(reader.uint32());
    const { mode } = readAttributes(reader);
    const fd = sys.open(path, { ...flags, mode: mode ?? 0o666 });
    return this.#handle(id, { kind: 'file', fd, path, isAppending: flags.append === true });
  }

  #close(id: number, name: string): Uint8Array {
    const handle = this.#handles.get(name);
    if (handle === undefined) return status(id, STATUS.failure);
    this.#handles.delete(name);
    if (handle.kind === 'file') this.#process.sys.close(handle.fd);
    return status(id, STATUS.ok);
  }

  async #read(id: number, reader: PacketReader): Promise<Uint8Array> {
    const handle = this.#handles.get(reader.string());
    const offset = reader.uint64();
    const length = reader.uint32();
    if (handle?.kind !== 'file') return status(id, STATUS.failure);
    const file = this.#process.sys.file(handle.fd);
    if (file.kind === 'file') file.seek(offset, 'set');
    const bytes = await file.read(Math.min(length, LONGEST_READ));
    if (bytes === undefined) return status(id, STATUS.endOfFile);
    return new PacketWriter().byte(PACKET.data).uint32(id).bytes(bytes).packet();
  }

  async #write(id: number, reader: PacketReader): Promise<Uint8Array> {
    const handle = this.#handles.get(reader.string());
    const offset = reader.uint64();
    if (handle?.kind !== 'file') return status(id, STATUS.failure);
    const file = this.#process.sys.file(handle.fd);
    if (file.kind === 'file' && !handle.isAppending) file.seek(offset, 'set');
    await file.write(reader.bytes());
    return status(id, STATUS.ok);
  }

  #readdir(id: number, name: string): Uint8Array {
    const { sys } = this.#process;
    const handle = this.#handles.get(name);
    if (handle?.kind !== 'directory') return status(id, STATUS.failure);
    const names = handle.names.slice(0, NAMES_AT_ONCE);
    handle.names = handle.names.slice(NAMES_AT_ONCE);
    if (names.length === 0) return status(id, STATUS.endOfFile);
    const answer = new PacketWriter().byte(PACKET.name).uint32(id);
    // One that was removed since the directory was read is left out, as by OpenSSH.
    const found = names.flatMap((entry) => {
      const path = joined(handle.path, entry);
      return entry === '.' || entry === '..' || sys.exists(path) || isLink(this.#process, path) ? [{ entry, stat: sys.lstat(path) }] : [];
    });
    answer.uint32(found.length);
    for (const { entry, stat } of found) {
      const owner = { user: this.#nameOf('/etc/passwd', stat.uid), group: this.#nameOf('/etc/group', stat.gid), nowMs: sys.now() };
      answer
        .string(entry)
        .string(longName(entry, stat, owner))
        .append(writeStat(stat));
    }
    return answer.packet();
  }

  /** Version 3's rename does not replace; OpenSSH tells so as a failure. */
  #rename(id: number, from: string, to: string): Uint8Array {
    const { sys } = this.#process;
    const source = sys.lstat(from);
    if (sys.exists(to) || isLink(this.#process, to)) return status(id, STATUS.failure);
    if (source.kind === 'file') {
      sys.link(from, to);
      sys.unlink(from);
    } else sys.rename(from, to);
    return status(id, STATUS.ok);
  }

  #extended(id: number, reader: PacketReader): Uint8Array {
    const { sys } = this.#process;
    switch (reader.string()) {
      case 'posix-rename@openssh.com':
        sys.rename(pathOf(reader), pathOf(reader));
        return status(id, STATUS.ok);
      case 'hardlink@openssh.com':
        sys.link(pathOf(reader), pathOf(reader));
        return status(id, STATUS.ok);
      case 'fsync@openssh.com':
        // The disk is written with every call.
        return status(id, this.#handles.get(reader.string())?.kind === 'file' ? STATUS.ok : STATUS.noSuchFile);
      default:
        return status(id, STATUS.unsupported);
    }
  }

  #apply(path: string, change: Attributes, fd?: number): void {
    const { sys } = this.#process;
    if (change.size !== undefined) {
      const own = fd ?? sys.open(path, { write: true });
      sys.file(own).truncate(change.size);
      if (fd === undefined) sys.close(own);
    }
    if (change.mode !== undefined) sys.chmod(path, change.mode);
    if (change.times !== undefined) sys.utimes(path, change.times.atimeMs, change.times.mtimeMs);
    if (change.owner !== undefined) sys.chown(path, change.owner.uid, change.owner.gid);
  }

  #handle(id: number, handle: Handle): Uint8Array {
    const name = String(this.#count++);
    this.#handles.set(name, handle);
    return new PacketWriter().byte(PACKET.handle).uint32(id).string(name).packet();
  }

  #nameOf(file: string, id: number): string {
    const { sys } = this.#process;
    if (!sys.exists(file)) return String(id);
    const line = sys
      .readTextFile(file)
      .split('\n')
      .find((candidate) => candidate.split(':')[2] === String(id));
    return line?.split(':')[0] ?? String(id);
  }
}

function status(id: number, code: number): Uint8Array {
  return new PacketWriter()
    .byte(PACKET.status)
    .uint32(id)
    .uint32(code)
    .string(MESSAGES[code] ?? 'Failure')
    .string('')
    .packet();
}

function attributes(id: number, stat: Stat): Uint8Array {
  return new PacketWriter().byte(PACKET.attributes).uint32(id).append(writeStat(stat)).packet();
}

function statusOf(errno: string): number {
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EBADF':
    case 'ELOOP':
      return STATUS.noSuchFile;
    case 'EPERM':
    case 'EACCES':
    case 'EFAULT':
      return STATUS.permissionDenied;
    case 'ENAMETOOLONG':
    case 'EINVAL':
      return STATUS.badMessage;
    case 'ENOSYS':
      return STATUS.unsupported;
    default:
      return STATUS.failure;
  }
}

/** Bit by bit (SSH_FXF_*). */
function openFlags(bits: number): OpenFlags {
  return {
    read: (bits & 1) !== 0,
    write: (bits & 2) !== 0,
    append: (bits & 4) !== 0,
    create: (bits & 8) !== 0,
    truncate: (bits & 16) !== 0,
    exclusive: (bits & 32) !== 0,
  };
}

/** An empty path is the directory one is in. */
function pathOf(reader: PacketReader): string {
  return reader.string() || '.';
}

function parentOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at < 0 ? '.' : path.slice(0, at) || '/';
}

function joined(folder: string, name: string): string {
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}

function isLink(process: Process, path: string): boolean {
  try {
    return process.sys.lstat(path).kind === 'symlink';
  } catch (error) {
    if (isSysError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
