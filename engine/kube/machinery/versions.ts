// Models the order of API versions: v2 before v1 before v1beta2 before v1alpha1, and all of these before any other name.

const KUBE_VERSION = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/;

/** Above 0 when `a` is the newer, more stable version. */
export function compareKubeVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [KUBE_VERSION.exec(a), KUBE_VERSION.exec(b)];
  if (left === null && right === null) return a < b ? 1 : -1;
  if (left === null) return -1;
  if (right === null) return 1;
  const stability = (kind: string | undefined): number => (kind === undefined ? 2 : kind === 'beta' ? 1 : 0);
  return stability(left[2]) - stability(right[2]) || Number(left[1]) - Number(right[1]) || Number(left[3] ?? 0) - Number(right[3] ?? 0);
}
