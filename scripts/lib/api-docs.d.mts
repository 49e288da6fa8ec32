import type { ApiDocs } from '../../engine/kube/machinery/schema/docs.ts';

export function apiDocs(): ApiDocs;
export function writeApiDocs(file: string): void;
