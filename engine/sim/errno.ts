// errno(3) as glibc 2.17 words it. A system call that fails throws SysError; programs print `strerror`.

import { diagnosis } from './diagnosis.ts';

const MESSAGES = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ESRCH: 'No such process',
  EINTR: 'Interrupted system call',
  EIO: 'Input/output error',
  ENXIO: 'No such device or address',
  E2BIG: 'Argument list too long',
  ENOEXEC: 'Exec format error',
  EBADF: 'Bad file descriptor',
  ECHILD: 'No child processes',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EACCES: 'Permission denied',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EXDEV: 'Invalid cross-device link',
  ENODEV: 'No such device',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENFILE: 'Too many open files in system',
  EMFILE: 'Too many open files',
  ENOTTY: 'Inappropriate ioctl for device',
  ETXTBSY: 'Text file busy',
  EFBIG: 'File too large',
  ENOSPC: 'No space left on device',
  ESPIPE: 'Illegal seek',
  EROFS: 'Read-only file system',
  EMLINK: 'Too many links',
  EPIPE: 'Broken pipe',
  ERANGE: 'Numerical result out of range',
  ENAMETOOLONG: 'File name too long',
  ENOSYS: 'Function not implemented',
  ENOTEMPTY: 'Directory not empty',
  ELOOP: 'Too many levels of symbolic links',
  ENOTSOCK: 'Socket operation on non-socket',
  EMSGSIZE: 'Message too long',
  EPROTONOSUPPORT: 'Protocol not supported',
  EOPNOTSUPP: 'Operation not supported',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  ECONNABORTED: 'Software caused connection abort',
  ECONNRESET: 'Connection reset by peer',
  ENOTCONN: 'Transport endpoint is not connected',
  ETIMEDOUT: 'Connection timed out',
  ECONNREFUSED: 'Connection refused',
  EHOSTUNREACH: 'No route to host',
  ENOKEY: 'Required key not available',
} as const;

export type Errno = keyof typeof MESSAGES;

/** V8's number of frames an Error collects. */
const ErrorLimits = Error as unknown as { stackTraceLimit?: number | undefined };

/** A failed system call. */
export class SysError extends Error {
  override readonly name = 'SysError';
  readonly errno: Errno;

  /** `about` is the path or address the call was for; it is context for us, not part of the message a program prints. */
  constructor(errno: Errno, about?: string) {
    const limit = ErrorLimits.stackTraceLimit;
    if (!diagnosis.keepsStacks) ErrorLimits.stackTraceLimit = 0;
    super(about === undefined ? MESSAGES[errno] : `${MESSAGES[errno]}: ${about}`);
    ErrorLimits.stackTraceLimit = limit;
    this.errno = errno;
  }

  /** What strerror(3) says of it. */
  get strerror(): string {
    return MESSAGES[this.errno];
  }
}

export function isSysError(error: unknown, ...errnos: readonly Errno[]): error is SysError {
  return error instanceof SysError && (errnos.length === 0 || errnos.includes(error.errno));
}

export function strerror(errno: Errno): string {
  return MESSAGES[errno];
}
