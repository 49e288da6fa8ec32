import type { Program } from '../../kernel/process.ts';
import { sftpServer } from './sftp-server/index.ts';

export const programs: readonly Program[] = [sftpServer];
